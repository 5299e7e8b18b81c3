// Tells systemd (Type=notify) how the service is: one datagram to $NOTIFY_SOCKET, if there is one.
#pragma once

#include <string>

namespace a4cd {

// state: "READY=1", "STOPPING=1", ... Does nothing without NOTIFY_SOCKET.
void NotifySystemd(const std::string& state);

}  // namespace a4cd
