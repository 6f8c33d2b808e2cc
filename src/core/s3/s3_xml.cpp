#include "core/s3/s3_xml.h"

#include <pugixml.hpp>

#include "core/aws/sigv4.h"
#include "core/http/http_headers.h"

namespace pgbackup {
namespace {

// The root element if it is called `name`; what follows it is no part of a document. Stores qualify
// it with different namespaces, or none; pugixml takes the default namespace's names as they are.
pugi::xml_node LoadRoot(pugi::xml_document* document, std::string_view xml, const char* name) {
  // Blank text is kept: a key may consist of it.
  const auto options = pugi::parse_default | pugi::parse_ws_pcdata_single;
  if (!document->load_buffer(xml.data(), xml.size(), options)) return {};
  const pugi::xml_node root = document->document_element();
  return std::string_view(root.name()) == name ? root : pugi::xml_node();
}

std::string Name(const pugi::xml_node& node, const char* element, bool encoded, bool* garbled) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
  std::string key = node.child_value(element);
  // In a key that is encoded the character would be, too.
  *garbled = *garbled || key.find(kReplacement) != std::string::npos;
  return encoded ? PercentDecode(key, true) : key;
}

bool IsTrue(const pugi::xml_node& node, const char* name) {
  return std::string_view(node.child_value(name)) == "true";
}

std::string Escaped(std::string_view text) {
  std::string xml;
  for (const char c : text) {
    if (c == '&')
      xml += "&amp;";
    else if (c == '<')
      xml += "&lt;";
    else if (c == '>')
      xml += "&gt;";
    else
      xml += c;
  }
  return xml;
}

std::string Element(const std::string& name, std::string_view text) {
  return "<" + name + ">" + Escaped(text) + "</" + name + ">";
}

bool KeysAreEncoded(const pugi::xml_node& root, Keys asked) {
  return asked == Keys::kEncoded && std::string_view(root.child_value("EncodingType")) == "url";
}

}  // namespace

S3ErrorBody ParseErrorBody(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node error = LoadRoot(&document, xml, "Error");
  return {error.child_value("Code"),       error.child_value("Message"),
          error.child_value("RequestId"),  error.child_value("Region"),
          error.child_value("ServerTime"), error.child_value("Endpoint")};
}

ObjectPage ParseObjectPage(std::string_view xml, Keys asked) {
  pugi::xml_document document;
  const pugi::xml_node root = LoadRoot(&document, xml, "ListBucketResult");
  ObjectPage page;
  if (!root) return page;
  page.valid = true;
  const bool encoded = KeysAreEncoded(root, asked);
  for (const pugi::xml_node& node : root.children("Contents"))
    page.objects.push_back({Name(node, "Key", encoded, &page.garbled),
                            ParseByteCount(node.child_value("Size")).value_or(0),
                            node.child_value("LastModified")});
  for (const pugi::xml_node& node : root.children("CommonPrefixes"))
    page.folders.push_back(Name(node, "Prefix", encoded, &page.garbled));
  page.is_version1 = static_cast<bool>(root.child("Marker"));
  page.truncated = IsTrue(root, "IsTruncated");
  if (!page.truncated) return page;
  page.next_token = root.child_value("NextContinuationToken");
  page.next_marker = root.child_value("NextMarker");
  return page;
}

UploadPage ParseUploadPage(std::string_view xml, Keys asked) {
  pugi::xml_document document;
  const pugi::xml_node root = LoadRoot(&document, xml, "ListMultipartUploadsResult");
  UploadPage page;
  if (!root) return page;
  page.valid = true;
  const bool encoded = KeysAreEncoded(root, asked);
  for (const pugi::xml_node& node : root.children("Upload"))
    page.uploads.push_back({Name(node, "Key", encoded, &page.garbled), node.child_value("UploadId"),
                            node.child_value("Initiated")});
  page.truncated = IsTrue(root, "IsTruncated");
  return page;
}

LockConfiguration ParseLockConfiguration(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = LoadRoot(&document, xml, "ObjectLockConfiguration");
  LockConfiguration configuration;
  if (!root) return configuration;
  configuration.valid = true;
  configuration.enabled = std::string_view(root.child_value("ObjectLockEnabled")) == "Enabled";
  configuration.default_mode = root.child("Rule").child("DefaultRetention").child_value("Mode");
  return configuration;
}

bool KeepsVersions(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = LoadRoot(&document, xml, "VersioningConfiguration");
  return std::string_view(root.child_value("Status")) == "Enabled";
}

bool ExpiresVersions(std::string_view xml) {
  pugi::xml_document document;
  for (const pugi::xml_node& rule :
       LoadRoot(&document, xml, "LifecycleConfiguration").children("Rule"))
    if (std::string_view(rule.child_value("Status")) == "Enabled" &&
        rule.child("NoncurrentVersionExpiration"))
      return true;
  return false;
}

std::string ParseUploadId(std::string_view xml) {
  pugi::xml_document document;
  return LoadRoot(&document, xml, "InitiateMultipartUploadResult").child_value("UploadId");
}

bool IsCompleteResult(std::string_view xml) {
  pugi::xml_document document;
  return static_cast<bool>(LoadRoot(&document, xml, "CompleteMultipartUploadResult"));
}

std::string CompleteBody(const std::map<int, UploadedPart>& parts, const char* checksum_element) {
  std::string xml = "<CompleteMultipartUpload>";
  for (const auto& [number, part] : parts) {
    xml += "<Part>" + Element("PartNumber", std::to_string(number)) + Element("ETag", part.etag);
    if (!part.checksum.empty()) xml += Element(checksum_element, part.checksum);
    xml += "</Part>";
  }
  return xml + "</CompleteMultipartUpload>";
}

}  // namespace pgbackup
