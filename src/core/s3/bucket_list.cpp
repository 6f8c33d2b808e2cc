// The listings of a bucket, page by page.
//
// Keys are asked for as they are. XML can express every key that pgbackup gives, and some stores
// announce the encoding that a client asks for (encoding-type=url) without applying it, which would
// turn "a%20b" into another key. It is asked for only where a page cannot be read without.
#include <algorithm>

#include "core/s3/bucket.h"

namespace pgbackup {
namespace {

template <typename Page>
Page AskPage(S3Client& client, S3Call call, const CallControl& control,
             Page (*parse)(std::string_view, Keys)) {
  Page page = parse(client.Call(call, control).response.body, Keys::kAsTheyAre);
  if (page.valid && !page.garbled) return page;
  call.query.emplace_back("encoding-type", "url");
  Page encoded = parse(client.Call(call, control).response.body, Keys::kEncoded);
  // Still garbled: the store has not encoded anything.
  if (encoded.valid && !(encoded.garbled && page.valid)) return encoded;
  if (!page.valid) ThrowUnclear(call.purpose, "the store gave no listing");
  return page;
}

// One listing of objects. Version 2 of the API names where the next page begins. A store that
// ignores "list-type=2", or forgets to name it, goes on after the last key.
class ObjectPages {
 public:
  // Where `list` is the call without its query.
  ObjectPages(S3Client& client, S3Call list, std::string prefix, const CallControl& control)
      : client_(client), list_(std::move(list)), prefix_(std::move(prefix)), control_(control) {}

  ObjectPage First() { return Remember(Ask(Version::k2, {})); }
  // What follows `page`, which is truncated and was returned last.
  ObjectPage After(const ObjectPage& page);

 private:
  enum class Version { k1, k2 };

  ObjectPage Ask(Version version, const NameValues& where);
  ObjectPage AfterToken(const std::string& token);
  ObjectPage AfterKey(const ObjectPage& page);
  ObjectPage Remember(ObjectPage page);

  S3Client& client_;
  const S3Call list_;
  const std::string prefix_;
  const CallControl& control_;
  std::string last_token_;
  std::string last_key_;            // of all pages
  bool goes_on_at_marker_ = false;  // as a store of version 1 does
};

ObjectPage ObjectPages::Ask(Version version, const NameValues& where) {
  S3Call call = list_;
  call.query = {{"max-keys", std::to_string(client_.limits().page_size)}, {"prefix", prefix_}};
  if (version == Version::k2) call.query.emplace_back("list-type", "2");
  call.query.insert(call.query.end(), where.begin(), where.end());
  return AskPage(client_, call, control_, ParseObjectPage);
}

ObjectPage ObjectPages::Remember(ObjectPage page) {
  if (!page.objects.empty()) last_key_ = page.objects.back().key;
  return page;
}

ObjectPage ObjectPages::AfterToken(const std::string& token) {
  if (token == last_token_)
    ThrowUnclear(list_.purpose, "the store returned the same page of the listing again");
  last_token_ = token;
  return Ask(Version::k2, {{"continuation-token", token}});
}

// Tries both parameters that name a key. A store that knows neither gives its first page again.
ObjectPage ObjectPages::AfterKey(const ObjectPage& page) {
  const std::string key = last_key_.empty() ? page.next_marker : last_key_;
  if (key.empty())
    ThrowUnclear(list_.purpose, "the store truncated the listing without a continuation token");
  const auto is_past_key = [&](const ObjectPage& next) {
    return (!next.objects.empty() || !next.truncated) &&
           std::all_of(next.objects.begin(), next.objects.end(),
                       [&](const ObjectPage::Object& object) { return object.key > key; });
  };
  if (!goes_on_at_marker_ && !page.is_version1) {
    ObjectPage next = Ask(Version::k2, {{"start-after", key}});
    if (is_past_key(next)) return next;
  }
  goes_on_at_marker_ = true;
  ObjectPage next = Ask(Version::k1, {{"marker", key}});
  if (!is_past_key(next))
    ThrowUnclear(list_.purpose, "the store returned the same page of the listing again");
  return next;
}

ObjectPage ObjectPages::After(const ObjectPage& page) {
  return Remember(page.next_token.empty() ? AfterKey(page) : AfterToken(page.next_token));
}

bool IsBelow(const std::string& key, const std::string& prefix) {
  // Stores differ in how they treat the prefix: never show what is not below it.
  return key.compare(0, prefix.size(), prefix) == 0;
}

}  // namespace

void Bucket::ListObjects(const std::string& prefix,
                         const std::function<void(const ObjectPage::Object&)>& each,
                         const CallControl& control) const {
  S3Call call = MakeCall("GET", "", "list", "s3:ListBucket");
  call.purpose.url = Url(prefix);
  ObjectPages pages(client_, call, prefix, control);
  ObjectPage page = pages.First();
  for (;;) {
    for (const ObjectPage::Object& object : page.objects)
      if (IsBelow(object.key, prefix)) each(object);
    if (!page.truncated) return;
    page = pages.After(page);
  }
}

std::vector<std::string> Bucket::ListFolders(const std::string& prefix,
                                             const CallControl& control) const {
  S3Call call = MakeCall("GET", "", "list", "s3:ListBucket");
  call.purpose.url = Url(prefix);
  call.query = {{"list-type", "2"}, {"delimiter", "/"}, {"max-keys", "100"}, {"prefix", prefix}};
  std::vector<std::string> names;
  for (const std::string& folder : AskPage(client_, call, control, ParseObjectPage).folders)
    if (IsBelow(folder, prefix) && folder.size() > prefix.size() + 1)
      names.push_back(folder.substr(prefix.size(), folder.size() - prefix.size() - 1));
  return names;
}

void Bucket::ListUploads(const std::string& prefix,
                         const std::function<void(const UploadPage::Upload&)>& each,
                         const CallControl& control) const {
  S3Call call =
      MakeCall("GET", "", "list unfinished uploads below", "s3:ListBucketMultipartUploads");
  call.purpose.url = Url(prefix);
  UploadPage::Upload marker;
  for (;;) {
    call.query = {{"uploads", ""},
                  {"max-uploads", std::to_string(client_.limits().page_size)},
                  {"prefix", prefix}};
    if (!marker.key.empty()) {
      call.query.emplace_back("key-marker", marker.key);
      call.query.emplace_back("upload-id-marker", marker.upload_id);
    }
    const UploadPage page = AskPage(client_, call, control, ParseUploadPage);
    for (const UploadPage::Upload& upload : page.uploads)
      if (IsBelow(upload.key, prefix)) each(upload);
    if (!page.truncated || page.uploads.empty()) return;
    const UploadPage::Upload& last = page.uploads.back();
    if (last.key == marker.key && last.upload_id == marker.upload_id)
      ThrowUnclear(call.purpose, "the store returned the same page of the listing again");
    marker = last;
  }
}

}  // namespace pgbackup
