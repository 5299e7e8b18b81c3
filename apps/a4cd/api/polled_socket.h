// A listening socket whose connections wait by poll(2). Poco 1.11 waits by an epoll set that it
// makes for each wait, four system calls where one does: a tenth of the processor time of a small
// request.
#pragma once

#include <Poco/Net/ServerSocket.h>

namespace a4cd {

class PolledServerSocket final : public Poco::Net::ServerSocket {
 public:
  PolledServerSocket();
};

}  // namespace a4cd
