#include "apps/usage/usage.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace a4c::usage {
namespace {

// farm animal feed|fetch NAME, call [WORDS], and --speed N anywhere.
class Usage : public testing::Test {
 protected:
  Usage() {
    root_.add_option("--speed", speed_, "of everything");
    root_.require_subcommand(0, 1);
    CLI::App* animal = root_.add_subcommand("animal", "what eats");
    animal->require_subcommand(1);
    animal->fallthrough();
    for (const char* name : {"feed", "fetch"}) {
      CLI::App* command = animal->add_subcommand(name, "one of them");
      command->fallthrough();
      command->add_option("name", name_, "whom")->required();
    }
    CLI::App* call = animal->add_subcommand("call", "with words, after --");
    call->add_option("--food", food_, "what")->check(CLI::IsMember({"hay", "oats"}));
    call->add_option("words", words_, "what to say");
  }

  // What is said on standard error.
  std::string Wrong(std::vector<std::string> words) {
    std::ranges::reverse(words);
    testing::internal::CaptureStderr();
    try {
      root_.parse(words);
    } catch (const CLI::ParseError& error) {
      EXPECT_EQ(Explain(root_, error), kWrongUse);
    }
    return testing::internal::GetCapturedStderr();
  }

  CLI::App root_{"a farm", "farm"};
  std::string name_;
  std::string food_;
  std::vector<std::string> words_;
  int speed_ = 0;
};

TEST_F(Usage, TheNearestNameIsProposed) {
  EXPECT_EQ(Wrong({"animals"}),
            "error: unknown command \"animals\"\nhint: did you mean \"animal\"?\n");
  EXPECT_EQ(Wrong({"animal", "fed"}),
            "error: unknown command \"fed\"\nhint: did you mean \"feed\"?\n");
  EXPECT_EQ(Wrong({"animal", "feed", "cow", "--sped=3"}),
            "error: unknown option --sped\nhint: did you mean \"--speed\"?\n");
}

TEST_F(Usage, ABeginningIsMeantAsTheWhole) {
  EXPECT_EQ(Wrong({"anim"}), "error: unknown command \"anim\"\nhint: did you mean \"animal\"?\n");
}

TEST_F(Usage, WithoutOneTheHelpIsNamed) {
  EXPECT_EQ(Wrong({"zoo"}), "error: unknown command \"zoo\"\nhint: farm --help\n");
  EXPECT_EQ(Wrong({"animal", "feed", "cow", "pig"}),
            "error: unexpected argument \"pig\"\nhint: farm animal feed --help\n");
  EXPECT_EQ(Wrong({"animal", "feed"}), "error: name is required\nhint: farm animal feed --help\n");
}

TEST_F(Usage, AnOptionsValueIsNamedAlsoWithoutACommand) {
  const std::string said = Wrong({"--speed", "fast"});
  EXPECT_TRUE(said.starts_with("error: ")) << said;
  EXPECT_NE(said.find("fast"), std::string::npos) << said;
  EXPECT_TRUE(said.ends_with("hint: farm --help\n")) << said;
}

TEST_F(Usage, AValueThatIsWrongIsNamedAlsoBeforeWordsAfterTwoHyphens) {
  const std::string said = Wrong({"animal", "call", "--food", "hey", "--", "eat", "-this"});
  EXPECT_EQ(said, "error: --food: hey not in {hay,oats}\nhint: farm animal call --help\n");
}

// Where the command begins that is called in words: its options are not ours.
TEST_F(Usage, ACommandHasAllTheWordsBehindItsFirst) {
  CLI::App* run = root_.add_subcommand("run", "a command, of somebody");
  run->fallthrough();
  bool is_loud = false;
  std::vector<std::string> command;
  run->add_flag("-l,--loud", is_loud);
  run->add_option("-f,--food", food_);
  run->add_option("name", name_)->required();
  run->add_option("command", command);
  using Words = std::vector<std::string>;
  EXPECT_EQ(BeginOfCommand(root_, Words{"run", "cow", "eat", "-l"}), 2);
  EXPECT_EQ(BeginOfCommand(root_, Words{"--speed", "3", "run", "cow", "eat"}), 4);
  EXPECT_EQ(BeginOfCommand(root_, Words{"run", "-l", "cow", "--speed", "3", "run", "-l"}), 5);
  EXPECT_EQ(BeginOfCommand(root_, Words{"run", "-lf", "hay", "cow", "-foats", "eat"}), 5);
  EXPECT_EQ(BeginOfCommand(root_, Words{"run", "--food=hay", "cow", "-", "--"}), 3);
  EXPECT_EQ(BeginOfCommand(root_, Words{"run", "cow", "--", "eat", "-l"}), std::nullopt);
  EXPECT_EQ(BeginOfCommand(root_, Words{"run", "cow", "-l"}), std::nullopt);
  EXPECT_EQ(BeginOfCommand(root_, Words{"animal", "call", "eat", "-l"}), std::nullopt);
}

// What stands above a command is none of its options unless it lets them through.
TEST_F(Usage, AnOptionThatWouldNotBeTakenThereIsNotProposed) {
  root_.get_subcommand("animal")->get_subcommand("call")->fallthrough(false);
  EXPECT_EQ(Wrong({"animal", "call", "--speed=3"}),
            "error: unknown option --speed\nhint: farm animal call --help\n");
}

TEST_F(Usage, AGroupAloneGetsItsHelp) {
  EXPECT_NE(Wrong({"animal"}).find("Usage: farm animal [OPTIONS] SUBCOMMAND"), std::string::npos);
}

TEST_F(Usage, HelpIsOnACommandByItsNames) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(Help(root_, {"animal", "feed"}), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("Usage: farm animal feed [OPTIONS] name"),
            std::string::npos);
  testing::internal::CaptureStderr();
  EXPECT_EQ(Help(root_, {"animal", "fed"}), kWrongUse);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("did you mean \"feed\"?"),
            std::string::npos);
}

}  // namespace
}  // namespace a4c::usage
