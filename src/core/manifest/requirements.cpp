#include "core/manifest/requirements.h"

namespace pgbackup {

namespace json = boost::json;

json::object RequirementsToJson(const Requirements& requirements) {
  json::array extensions;
  for (const NeededExtension& extension : requirements.extensions) {
    std::vector<std::string> configuration;
    for (const QualifiedName& table : extension.configuration)
      configuration.push_back(QuoteQualifiedName(table));
    extensions.push_back(json::object{{"name", JsonText(std::string_view(extension.name))},
                                      {"version", JsonText(std::string_view(extension.version))},
                                      {"schema", JsonText(std::string_view(extension.schema))},
                                      {"configuration", JsonTexts(configuration)}});
  }
  json::object object;
  object["roles"] = JsonTexts(requirements.roles);
  object["extensions"] = std::move(extensions);
  object["tablespaces"] = JsonTexts(requirements.tablespaces);
  return object;
}

Requirements RequirementsFromJson(const JsonReader& reader) {
  Requirements requirements;
  requirements.roles = reader.Texts("roles");
  for (const JsonReader& extension : reader.Objects("extensions")) {
    requirements.extensions.push_back(
        {extension.Text("name"), extension.Text("version"), extension.TextOr("schema", "")});
    if (!extension.Has("configuration")) continue;
    for (const std::string& table : extension.Texts("configuration"))
      requirements.extensions.back().configuration.push_back(
          ParseQualifiedName(table, "configuration"));
  }
  requirements.tablespaces = reader.Texts("tablespaces");
  return requirements;
}

}  // namespace pgbackup
