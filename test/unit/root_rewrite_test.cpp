#include "core/restore/plan/root_rewrite.h"

#include "archive_test_support.h"
#include "core/base/sha256.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

std::string HeadWith(const std::string& first, const std::string& second, int minor) {
  ArchiveHead head(minor);
  head.Integer(4);
  const char* mark = "-- load via partition root public.parent";
  head.Entry(1, "TABLE DATA", "public", "p1", {}, mark, 3, first);
  head.Entry(2, "TABLE DATA", "public", "p2", {}, mark, 3, second);
  head.Entry(3, "TABLE DATA", "public", "plain", {}, "", 3, "COPY public.parent (a) FROM stdin;\n");
  head.Entry(4, "FUNCTION", "public", "f()", {}, "COPY public.parent (a) FROM stdin;\n");
  return head.bytes();
}

std::string Rewritten(const std::string& archive, const ArchiveSelection& part, size_t piece) {
  auto buffer = std::make_shared<std::string>();
  class Collect final : public Sink {
   public:
    explicit Collect(std::shared_ptr<std::string> text) : text_(std::move(text)) {}
    void Write(std::span<const std::byte> data) override {
      text_->append(reinterpret_cast<const char*>(data.data()), data.size());
    }
    void Finish() override {}
    void Abort() noexcept override {}

   private:
    std::shared_ptr<std::string> text_;
  };
  RootRewrite rewrite(std::make_unique<Collect>(buffer), part);
  for (size_t at = 0; at < archive.size(); at += piece)
    rewrite.Write(AsBytes(std::string_view(archive).substr(at, piece)));
  rewrite.Finish();
  return *buffer;
}

TEST(RootRewrite, ChangesTheStatementsOfWhatComesAloneAndNothingElse) {
  const std::string copy = "COPY public.parent (a) FROM stdin;\n";
  ArchiveSelection part;
  part.roots[{"public", "p2"}] = {"public", "The \"root\""};
  part.roots[{"public", "plain"}] = {"public", "plain"};
  for (const int minor : {14, 16})
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{100000}})
      EXPECT_EQ(Rewritten(HeadWith(copy, copy, minor) + "rows " + copy, part, piece),
                HeadWith(copy, "COPY \"public\".\"The \"\"root\"\"\" (a) FROM stdin;\n", minor) +
                    "rows " + copy);
}

TEST(RootRewrite, PassesOnWhatItDoesNotKnow) {
  for (const std::string text : {"", "PGDMP", "no archive at all"})
    EXPECT_EQ(Rewritten(text, {}, 4), text);
}

}  // namespace
}  // namespace pgbackup
