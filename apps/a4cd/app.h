// App: a running a4cd, put together from its settings. Only this knows that plugins exist.
//
//   A4C_TRY(std::unique_ptr<App> app, App::Start(settings, runtime, metrics));
//   WaitForSignal();
//   app->Drain();
#pragma once

#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "apps/a4cd/auth/key_service.h"
#include "apps/a4cd/config/settings.h"
#include "apps/a4cd/telemetry/metrics.h"

namespace a4cd {

class App {
 public:
  virtual ~App() = default;  // drains, if that was not done

  // Loads the plugins, opens the database, starts the loops and the API of the process's roles.
  // runtime and metrics outlive the App.
  static a4c::Result<std::unique_ptr<App>> Start(const Settings& settings,
                                                 const a4c::Runtime& runtime, Metrics& metrics);

  // The API's port; 0 without the role api.
  virtual int port() const = 0;

  // Ends in good order, within drain.timeout: says not ready, stops accepting, finishes requests,
  // stops the loops, flushes the bus. [once; any thread]
  virtual void Drain() = 0;
};

// Makes the first API key in the store, and returns it; kConflict if there are keys already, unless
// it is asked for again.
a4c::Result<std::string> MakeFirstKey(const Settings& settings, const a4c::Runtime& runtime,
                                      KeyService::Again again = KeyService::Again::kNo);

// The same into settings.api.bootstrap_key_file, mode 0600.
a4c::Result<void> MakeFirstKeyFile(const Settings& settings, const a4c::Runtime& runtime,
                                   KeyService::Again again = KeyService::Again::kNo);

}  // namespace a4cd
