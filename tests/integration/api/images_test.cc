// Build contexts that are streamed to a job, and the images that servers have.
#include "tests/integration/support/api_fixture.h"
#include "tests/support/tar.h"

namespace a4cd {
namespace {

using a4c::Json;

class ApiImages : public ApiTest {
 protected:
  // A job that waits for its context.
  std::string NewJob(const std::string& more = "") {
    const Answer created =
        Post("/v1/jobs", R"({"type":"image.build","payload":{"tag":"app:1")" + more + "}}");
    EXPECT_EQ(created.status, 201) << created.text;
    EXPECT_EQ(created.body["state"].Text(), "pending");
    return created.body["id"].Text();
  }
  Answer Put(const std::string& id, const std::string& context) {
    return Send("PUT", "/v1/jobs/" + id + "/context", context,
                {{"Content-Type", "application/x-tar"}});
  }
  const std::string tar_ = TarOf({{"Dockerfile", "FROM busybox:local\nRUN true\n"}});
};

TEST_F(ApiImages, AStreamedContextIsBuiltLoggedAndListed) {
  const std::string id = NewJob(R"(,"memory":"64MiB","cpu_millis":500)");
  const Answer built = Put(id, tar_);
  ASSERT_EQ(built.status, 200) << built.text;
  EXPECT_EQ(built.body["state"].Text(), "succeeded") << built.text;
  EXPECT_TRUE(built.body["result"]["digest"].Text().starts_with("sha256:"));
  const std::string host = built.body["result"]["host"].Text();
  EXPECT_NE(Get("/v1/jobs/" + id + "/logs").text.find("RUN true"), std::string::npos);
  const Answer images = Get("/v1/images");
  ASSERT_EQ(images.status, 200) << images.text;
  ASSERT_EQ(images.body["items"].Items().size(), 1u) << images.text;
  EXPECT_EQ(images.body["items"].Items()[0]["tag"].Text(), "app:1");
  EXPECT_EQ(images.body["items"].Items()[0]["hosts"].Items()[0].Text(), host);
  EXPECT_EQ(Get("/v1/images?host=" + host).body["items"].Items().size(), 1u);
  EXPECT_EQ(Get("/v1/images?host=nowhere").status, 404);
}

TEST_F(ApiImages, OneContextAJobAndNoneAfterItsEnd) {
  const std::string id = NewJob();
  ASSERT_EQ(Put(id, tar_).status, 200);
  EXPECT_EQ(Put(id, tar_).status, 409);
  EXPECT_EQ(Put("01890000-0000-7000-8000-000000000000", tar_).status, 404);
  const Answer other = CreateWorkspaceJob("dev-1");
  EXPECT_EQ(Put(other.body["id"].Text(), tar_).status, 409);
}

TEST_F(ApiImages, ABuildThatFailsSaysWhyAndIsNotTriedAgain) {
  const std::string id = NewJob();
  const Answer built = Put(id, TarOf({{"Dockerfile", "FROM busybox:local\nRUN false\n"}}));
  ASSERT_EQ(built.status, 200) << built.text;
  EXPECT_EQ(built.body["state"].Text(), "failed");
  EXPECT_NE(built.body["message"].Text().find("false"), std::string::npos) << built.text;
  EXPECT_EQ(built.body["attempts"].Int(), 1);
  EXPECT_EQ(Get("/v1/images").body["items"].Items().size(), 0u);
}

TEST_F(ApiImages, AClientThatGoesAwayLeavesAJobWhoseContextIsLost) {
  StartApp("api: {request_timeout: 1s}\n");
  const std::string id = NewJob();
  (void)Raw("PUT /v1/jobs/" + id + "/context HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ +
                "\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n" + tar_.substr(0, 600),
            "nothing");
  Json job;
  for (int i = 0; i < 600 && job["state"].Text() != "failed"; ++i) {
    job = Get("/v1/jobs/" + id).body;
  }
  EXPECT_EQ(job["state"].Text(), "failed") << job.ToString();
  EXPECT_EQ(job["reason"].Text(), "context_lost") << job.ToString();
}

TEST_F(ApiImages, BoundsAreToldBeforeAnythingIsRead) {
  StartApp("api: {context_bytes_max: 1KiB}\n");
  const std::string id = NewJob();
  EXPECT_EQ(Put(id, tar_).status, 413);
  const Answer without_length = Put(id, "");
  EXPECT_EQ(without_length.status, 411);
  EXPECT_EQ(without_length.body["type"].Text(), "urn:a4c:problem:length-required");
  EXPECT_EQ(without_length.body["title"].Text(), "The length of the body has to be announced");
  EXPECT_EQ(Get("/v1/jobs/" + id).body["state"].Text(), "pending") << "it still waits";
}

TEST_F(ApiImages, OtherTenantsSeeNoJobToSendTo) {
  const std::string id = NewJob();
  const Answer answer = Send("PUT", "/v1/jobs/" + id + "/context", tar_, Bearer(KeyFor("other")));
  EXPECT_EQ(answer.status, 404) << answer.text;
}

}  // namespace
}  // namespace a4cd
