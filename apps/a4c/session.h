// One run of the command line: global flags, the connection, and how results and complaints look.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/json.h"
#include "apps/a4c/client.h"
#include "apps/a4c/contexts.h"
#include "apps/a4c/exit_code.h"
#include "apps/a4c/output.h"

namespace a4c_cli {

class Session {
 public:
  explicit Session(const a4c::Runtime& given_runtime) : runtime(given_runtime) {}

  // Filled by the command line.
  EndpointFlags endpoint;
  std::string format_name = "table";
  bool quiet = false;
  bool has_double_dash = false;  // a command, if there is one, stands behind --
  int exit_code = kOk;
  std::string subject;  // of several names the one that complaints and notes are about

  const a4c::Runtime runtime;

  Format format() const;
  // A table: what is shown may be text of its own instead.
  bool IsForPeople() const { return format() == Format::kTable || format() == Format::kWide; }
  bool format_given = false;

  // Sends, and complains about anything but a success. False: exit_code is set.
  bool Send(const Ask& ask, Reply& reply);
  // The same without complaint: an answer of any status, or why there is none.
  a4c::Result<Reply> Try(const Ask& ask);
  // What was tried, as Send has it.
  bool Take(a4c::Result<Reply> answer, Reply& reply);
  // Changes what is at the path, and says which version it means: the one read just before.
  bool Patch(const std::string& path, const a4c::Json& change, Reply& reply, bool is_slow = false);
  // The items of all pages of a list, as one page; notes how old it may be. False: exit_code is
  // set.
  bool SendForAll(const std::string& path,
                  const std::vector<std::pair<std::string, std::string>>& query, a4c::Json& list);
  // All pages of a list as one, with how old it may be at worst; all: else the first alone.
  a4c::Result<Reply> TryPages(const std::string& path,
                              const std::vector<std::pair<std::string, std::string>>& query,
                              bool all = true);
  // Null: exit_code is set.
  Client* Connect();
  // One more connection, of its own. [any thread]
  a4c::Result<std::unique_ptr<Client>> Open() const;
  // Where it all goes, found out once: the key may come from standard input. [any thread]
  const a4c::Result<Endpoint>& Resolved() const;

  // Sends what need not succeed.
  void Forget(const Ask& ask);

  // Prints a page ({"items": [...]}) or one item.
  void Show(const a4c::Json& body, const std::string& noun, const std::vector<Column>& columns);
  void ShowText(const std::string& text);
  // Of what others have said: without what could move the cursor or color the terminal.
  void ShowWords(const std::string& text) { ShowText(HarmlessText(text)); }
  // Of what shows nothing that has a name: true with -o name; exit_code is set.
  bool RefusesNames();
  // To standard error, unless --quiet.
  void Note(const std::string& text, const char* end = "\n") const;

  // One line on the terminal, in whose place comes whatever is written next. Nothing where standard
  // error is no terminal, or with --quiet.
  void ShowProgress(const std::string& line);
  void ClearProgress() const;

  // What a list of a replica may lack; nothing of one that is current.
  void NoteStaleness(int64_t stale_ms) const;

  // Of what it is about: "dev-1: ", or nothing.
  std::string Subject() const { return subject.empty() ? "" : subject + ": "; }

  int Complain(const a4c::Error& error);
  int Complain(const Reply& reply);

  // Sleeps; Ctrl-C ends the process anyway.
  void Pause(int64_t wait_ms) const;

 private:
  std::unique_ptr<Client> client_;
  mutable std::once_flag warned_;
  mutable std::once_flag resolving_;
  mutable std::optional<a4c::Result<Endpoint>> resolved_;
  mutable std::atomic<bool> has_progress_ = false;  // a line is there that was not ended
};

// What an answer that is no success says, or why there is none.
std::string WhyText(const a4c::Result<Reply>& answer);

// "/v1/jobs?limit=5&q=..." of names and values, empty values left out.
std::string WithQuery(const std::string& path,
                      const std::vector<std::pair<std::string, std::string>>& query);

}  // namespace a4c_cli
