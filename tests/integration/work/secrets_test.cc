// What stands in the store of a secret.
#include <filesystem>
#include <fstream>

#include "apps/a4cd/secrets/secret_service.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

class StoredSecrets : public ::testing::Test {
 protected:
  StoredSecrets() {
    const std::string path =
        ::testing::TempDir() + "a4c_stored_secrets_" + std::to_string(getpid());
    std::ofstream(path) << "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    auto box = SecretBox::Read(path);
    std::filesystem::remove(path);
    EXPECT_TRUE(box) << box.error().ToString();
    service_.emplace(world_.instance.database, world_.fake.runtime(),
                     std::make_shared<const SecretBox>(*std::move(box)));
  }

  void Set(const std::string& tenant, const std::string& value) {
    const Principal principal{.tenant = tenant, .key_id = "key", .scopes = {}};
    Write(service_->PrepareSet(world_.Within(), principal, "token", value));
  }
  void Write(const Result<PreparedWrite>& write) {
    ASSERT_TRUE(write) << write.error().ToString();
    ASSERT_TRUE(world_.instance.database.Write(world_.Within(), write->commit));
  }
  std::string Body(const std::string& tenant) {
    const auto record = world_.Find({"secret", {tenant, "token"}});
    return record ? record->body : "";
  }

  World world_;
  std::optional<SecretService> service_;
};

TEST_F(StoredSecrets, AreSealedAndOpenInTheirTenantAlone) {
  Set(kTenant, "hunter2");
  Set("other", "swordfish");
  EXPECT_EQ(Body(kTenant).find("hunter2"), std::string::npos);
  EXPECT_EQ(*service_->Reveal(world_.Within(), kTenant, "token"), "hunter2");
  // As somebody who may write rows, and not read secrets, would do it.
  const std::string theirs = Body("other");
  ASSERT_TRUE(world_.instance.database.Write(world_.Within(),
                                             {.changes = {{.ref = {"secret", {kTenant, "token"}},
                                                           .body = theirs,
                                                           .expect = a4c::Expect::Rev(1)}}}));
  const auto revealed = service_->Reveal(world_.Within(), kTenant, "token");
  ASSERT_FALSE(revealed);
  EXPECT_EQ(revealed.error().code(), a4c::Code::kInvalid);
}

TEST_F(StoredSecrets, LeaveNothingOfTheirValueWhenTheyAreDeleted) {
  Set(kTenant, "hunter2");
  const Principal principal{.tenant = kTenant, .key_id = "key", .scopes = {}};
  EXPECT_NE(Body(kTenant).find("sealed"), std::string::npos);
  Write(service_->PrepareDelete(world_.Within(), principal, "token"));
  EXPECT_EQ(Body(kTenant).find("sealed"), std::string::npos);
}

}  // namespace
}  // namespace a4cd::testing
