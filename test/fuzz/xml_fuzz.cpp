// The XML that stores answer with, and the errors made of it: core/s3/s3_xml.h, core/s3/s3_error.h.
#include <pugixml.hpp>

#include "core/aws/sigv4.h"
#include "core/base/utf8.h"
#include "core/s3/s3_error.h"
#include "core/s3/s3_xml.h"
#include "fuzz.h"

namespace pgbackup {
namespace {

// What a store says is one line of well-formed text in our messages, however long it was.
void RequireFitForALog(const std::string& text) {
  constexpr size_t kLongest = 4000;
  REQUIRE(text.size() < kLongest);
  REQUIRE(ToValidUtf8(text) == text);
  for (const char c : text) REQUIRE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

void CheckErrors(std::string_view xml, const S3ErrorBody& body) {
  S3Purpose purpose;
  purpose.action = "write";
  purpose.url = "s3://bucket/x";
  purpose.permission = "s3:PutObject";
  purpose.locks = !xml.empty() && xml[0] % 2 == 0;
  purpose.has_key = !xml.empty() && xml[0] % 3 == 0;
  const S3Place place{"https://store", "bucket", "region", "", ""};
  constexpr int kStatuses[] = {200, 301, 400, 403, 404, 412, 500, 503};
  HttpResponse response;
  response.status = kStatuses[xml.size() % std::size(kStatuses)];
  const Error error = RefusedError(purpose, place, response, body);
  REQUIRE(error.message().starts_with("could not write s3://bucket/x: "));
  RequireFitForALog(error.message());
  RequireFitForALog(error.detail());
  RequireFitForALog(error.hint());
}

// An answer is one kind of document.
void CheckDocuments(std::string_view xml) {
  const S3ErrorBody error = ParseErrorBody(xml);
  const ObjectPage objects = ParseObjectPage(xml, Keys::kEncoded);
  const UploadPage uploads = ParseUploadPage(xml, Keys::kEncoded);
  const std::string upload_id = ParseUploadId(xml);
  REQUIRE((error.code.empty() ? 0 : 1) + objects.valid + uploads.valid +
              (upload_id.empty() ? 0 : 1) + IsCompleteResult(xml) <=
          1);
  REQUIRE(objects.valid || (objects.objects.empty() && objects.next_token.empty()));
  REQUIRE(uploads.valid || (uploads.uploads.empty() && !uploads.truncated));
  CheckErrors(xml, error);
}

// Any key survives a listing in which the store encodes keys.
void CheckKeys(const std::string& key) {
  const std::string item = "<Key>" + PercentEncode(key) + "</Key>";
  const ObjectPage objects =
      ParseObjectPage("<ListBucketResult><EncodingType>url</EncodingType>" + ("<Contents>" + item) +
                          "<Size>7</Size></Contents></ListBucketResult>",
                      Keys::kEncoded);
  REQUIRE(objects.objects.size() == 1);
  REQUIRE(objects.objects[0].key == key && objects.objects[0].size == 7);
  const UploadPage uploads =
      ParseUploadPage("<ListMultipartUploadsResult><EncodingType>url</EncodingType><Upload>" +
                          item + "<UploadId>u</UploadId></Upload></ListMultipartUploadsResult>",
                      Keys::kEncoded);
  REQUIRE(uploads.uploads.size() == 1);
  REQUIRE(uploads.uploads[0].key == key && uploads.uploads[0].upload_id == "u");
}

// Any ETag that a header can carry reaches the store as it came.
void CheckCompleteBody(const std::string& etag) {
  for (const char c : etag)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return;
  if (ToValidUtf8(etag) != etag) return;
  const std::string xml = CompleteBody({{1, {etag, ""}}, {2, {etag, "sum="}}}, "ChecksumCRC32C");
  pugi::xml_document document;
  REQUIRE(document.load_buffer(xml.data(), xml.size(),
                               pugi::parse_default | pugi::parse_ws_pcdata_single));
  int number = 0;
  for (const auto& part : document.document_element().children("Part")) {
    REQUIRE(std::string_view(part.child_value("PartNumber")) == std::to_string(++number));
    REQUIRE(part.child_value("ETag") == etag);
    REQUIRE(std::string_view(part.child_value("ChecksumCRC32C")) == (number == 1 ? "" : "sum="));
  }
  REQUIRE(number == 2);
}

}  // namespace
}  // namespace pgbackup

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(pgbackup::TextOf(data, size));
  pgbackup::CheckDocuments(text);
  pgbackup::CheckKeys(text);
  pgbackup::CheckCompleteBody(text);
  return 0;
}
