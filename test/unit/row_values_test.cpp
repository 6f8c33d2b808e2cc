#include "core/postgres/row_values.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

// What stays of the fields of an error; "S" stands in each for a value of a row.
struct FieldCase {
  const char* sqlstate;
  ServerMessage error;
  ServerMessage expected;
};

TEST(RowValues, AreTakenOutOfTheFieldsOfAnError) {
  const FieldCase cases[] = {
      {"22P02",
       {R"(invalid input syntax for type integer: "S")", "", "",
        R"(COPY t, line 3, column a: "S")"},
       {R"(invalid input syntax for type integer: "…")", "", "", "COPY t, line 3, column a"}},
      {"22P02",
       {R"(invalid input value for enum mood: "S "quoted" S")", "", "", ""},
       {R"(invalid input value for enum mood: "…")", "", "", ""}},
      {"22003",
       {R"(value "S" is out of range for type integer)", "", "", ""},
       {R"(value "…" is out of range for type integer)", "", "", ""}},
      {"22P02",
       {"invalid input syntax for type json", R"(Token "S" is invalid.)", "",
        "JSON data, line 1: {S\nCOPY t, line 1, column a: \"S\""},
       {"invalid input syntax for type json", R"(Token "…" is invalid.)", "",
        "JSON data, line 1\nCOPY t, line 1, column a"}},
      {"2200N",
       {"invalid XML content", "line 1: S\nS\n ^", "", ""},
       {"invalid XML content", "", "", ""}},
      {"22P04",
       {R"(missing data for column "b")", "", "", R"(COPY t, line 1: "S")"},
       {R"(missing data for column "b")", "", "", "COPY t, line 1"}},
      {"23505",
       {R"(duplicate key value violates unique constraint "t_pkey")", "Key (a)=(S) already exists.",
        "", ""},
       {R"(duplicate key value violates unique constraint "t_pkey")", "Key (a)=(…) already exists.",
        "", ""}},
      {"23503",
       {R"(insert or update on table "c" violates foreign key constraint "f")",
        R"(Key (a, b)=(S, S) (S)) is not present in table "p".)", "", ""},
       {R"(insert or update on table "c" violates foreign key constraint "f")",
        R"(Key (a, b)=(…) is not present in table "p".)", "", ""}},
      {"23P01",
       {R"(conflicting key value violates exclusion constraint "x")",
        "Key (r)=([S,S)) conflicts with existing key (r)=([S,S)).", "", ""},
       {R"(conflicting key value violates exclusion constraint "x")", "Key (r)=(…).", "", ""}},
      {"23514",
       {R"(new row for relation "t" violates check constraint "c")",
        "Failing row contains (1, S\nS, S).", "", "COPY t, line 1: \"1\tS\""},
       {R"(new row for relation "t" violates check constraint "c")", "Failing row contains (…).",
        "", "COPY t, line 1"}},
      {"23514",
       {R"(no partition of relation "t" found for row)",
        "Partition key of the failing row contains (lower(a)) = (S).", "", ""},
       {R"(no partition of relation "t" found for row)",
        "Partition key of the failing row contains (lower(a)) = (…).", "", ""}},
      {"42P01",
       {R"(relation "u" does not exist)", "", "",
        "PL/pgSQL function f(text) line 2 at SQL statement"},
       {R"(relation "u" does not exist)", "", "",
        "PL/pgSQL function f(text) line 2 at SQL statement"}},
      {"42883",
       {"function g(text) does not exist", "", "No function matches the given name.",
        "SQL statement \"SELECT g('S')\nFROM t\"\nPL/pgSQL function f(text) line 2 at PERFORM"},
       {"function g(text) does not exist", "", "No function matches the given name.",
        "PL/pgSQL function f(text) line 2 at PERFORM"}},
      {"P0001",
       {"S is not allowed", "S", "S",
        "PL/pgSQL function f(text) line 2 at RAISE\nCOPY t, line 1: \"S\""},
       {"a function of the database raised this error", "", "",
        "PL/pgSQL function f(text) line 2 at RAISE\nCOPY t, line 1"}},
      {"23514",  // RAISE … USING ERRCODE
       {"S is not allowed", "S", "", "PL/pgSQL-Funktion f(text) Zeile 2 bei RAISE"},
       {"a function of the database raised this error", "", "",
        "PL/pgSQL-Funktion f(text) Zeile 2 bei RAISE"}},
      // Of servers that speak other languages.
      {"22P02",
       {"ungültige Eingabesyntax für Typ integer: »S«", "", "", "COPY t, Zeile 1, Spalte a: »S«"},
       {"ungültige Eingabesyntax für Typ integer: »…«", "", "", "COPY t, Zeile 1, Spalte a"}},
      {"22003",
       {"la valeur « S » est en dehors des limites du type integer", "", "", ""},
       {"la valeur «…» est en dehors des limites du type integer", "", "", ""}},
      {"23502",
       {"NULL-Wert in Spalte »b« von Relation »t« verletzt Not-Null-Constraint",
        "Fehlgeschlagene Zeile enthält (S, null).", "", ""},
       {"NULL-Wert in Spalte »b« von Relation »t« verletzt Not-Null-Constraint",
        "Fehlgeschlagene Zeile enthält (…).", "", ""}},
  };
  for (const FieldCase& each : cases) {
    const ServerMessage kept = WithoutRowValues(each.error, each.sqlstate);
    EXPECT_EQ(kept.message, each.expected.message);
    EXPECT_EQ(kept.detail, each.expected.detail);
    EXPECT_EQ(kept.hint, each.expected.hint);
    EXPECT_EQ(kept.context, each.expected.context);
  }
}

struct LinesCase {
  const char *lines, *expected;
};

TEST(RowValues, AreTakenOutOfWhatProgramsWrite) {
  const LinesCase cases[] = {
      {"pg_restore: error: COPY failed for table \"t\": ERROR:  invalid input syntax for type "
       "integer: \"S\"\nCONTEXT:  COPY t, line 7, column a: \"S\"\npg_restore: finished",
       "pg_restore: error: COPY failed for table \"t\": ERROR:  invalid input syntax for type "
       "integer: \"…\"\nCONTEXT:  COPY t, line 7, column a\npg_restore: finished"},
      {"pg_restore: error: could not execute query: ERROR:  could not create unique index "
       "\"t_pkey\"\nDETAIL:  Key (a, b)=(S, S\nS) is duplicated.\nCommand was: ALTER TABLE ONLY t\n"
       "    ADD CONSTRAINT t_pkey PRIMARY KEY (a, b);",
       "pg_restore: error: could not execute query: ERROR:  could not create unique index "
       "\"t_pkey\"\nDETAIL:  Key (a, b)=(…\nCommand was: ALTER TABLE ONLY t\n"
       "    ADD CONSTRAINT t_pkey PRIMARY KEY (a, b);"},
      {"psql:<stdin>:40: ERROR:  new row for relation \"t\" violates check constraint \"c\"\n"
       "DETAIL:  Failing row contains (1, S).\nCONTEXT:  COPY t, line 1: \"1\tS\nS\"",
       "psql:<stdin>:40: ERROR:  new row for relation \"t\" violates check constraint \"c\"\n"
       "DETAIL:  Failing row contains (…).\nCONTEXT:  COPY t, line 1"},
      {"pg_restore: error: COPY failed for table \"t\": ERROR:  bad S\nDETAIL:  S\nHINT:  S\n"
       "CONTEXT:  PL/pgSQL function public.f(text) line 1 at RAISE\nCOPY t, line 1: \"S\"",
       "pg_restore: error: COPY failed for table \"t\": ERROR:  a function of the database raised "
       "this error\nDETAIL:  a function of the database raised this error\nHINT:  a function of "
       "the "
       "database raised this error\nCONTEXT:  PL/pgSQL function public.f(text) line 1 at RAISE"},
      {"NOTICE:  S\nS\npg_restore: error: connection to server at \"h\" failed: Connection refused",
       "NOTICE:  …\npg_restore: error: connection to server at \"h\" failed: Connection refused"},
      {"pg_restore: Fehler: COPY fehlgeschlagen für Tabelle »t«: FEHLER:  ungültige Eingabesyntax "
       "für Typ integer: »S«\nZUSAMMENHANG:  COPY t, Zeile 7, Spalte a: »S«\n"
       "DETAIL:  Schlüssel »(a)=(S)« existiert bereits.",
       "pg_restore: Fehler: COPY fehlgeschlagen für Tabelle »t«: FEHLER:  ungültige Eingabesyntax "
       "für Typ integer: »…«\nZUSAMMENHANG:  COPY t, Zeile 7, Spalte a\n"
       "DETAIL:  Schlüssel »(a)=(…)« existiert bereits."},
      {"psql:<stdin>:3: ERROR:  relation \"t\" does not exist\n"
       "LINE 1: INSERT INTO t VALUES ('S');\n                    ^",
       "psql:<stdin>:3: ERROR:  relation \"t\" does not exist\n"
       "LINE 1: INSERT INTO t VALUES …"},
      {"pg_dump: error: query failed: ERROR:  permission denied for table secrets\n"
       "pg_dump: detail: Query was: LOCK TABLE public.secrets IN ACCESS SHARE MODE",
       "pg_dump: error: query failed: ERROR:  permission denied for table secrets\n"
       "pg_dump: detail: Query was: LOCK TABLE public.secrets IN ACCESS SHARE MODE"},
      {"pg_restore: error: could not execute query: ERROR:  function g(text) does not exist\n"
       "LINE 2:   SELECT g($1)\n                 ^\nHINT:  No function matches.\n"
       "QUERY:  SELECT g($1)\nCONTEXT:  PL/pgSQL function f(text) line 1 at RETURN",
       "pg_restore: error: could not execute query: ERROR:  function g(text) does not exist\n"
       "LINE 2:   SELECT g($1)\n                 ^\nHINT:  No function matches.\n"
       "QUERY:  SELECT g($1)\nCONTEXT:  PL/pgSQL function f(text) line 1 at RETURN"},
      {"", ""},
  };
  for (const LinesCase& each : cases) EXPECT_EQ(LinesWithoutRowValues(each.lines), each.expected);
}

}  // namespace
}  // namespace pgbackup
