// A listening socket whose connections do two things otherwise than Poco 1.11's.
//
// They wait by poll(2): Poco waits by an epoll set that it makes for each wait, four system calls
// where one does, a tenth of the processor time of a small request.
//
// They say what is wrong with a request whose head cannot be read: Poco answers it itself, before
// there is anything that a handler could be asked about, with a 400 and not a word.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketImpl.h>

#include "a4c/clock.h"

namespace a4cd {

class PolledServerSocket final : public Poco::Net::ServerSocket {
 public:
  explicit PolledServerSocket(const a4c::Clock& clock);
};

// Closing a socket with bytes unread resets the connection, and the client may lose the answer that
// tells it why. So this direction is ended, and what is still being sent is read for a while, and
// dropped.
void Linger(Poco::Net::SocketImpl& socket, const a4c::Clock& clock);

}  // namespace a4cd
