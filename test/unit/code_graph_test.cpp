#include "core/dump/code_graph.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

using Oids = std::set<uint32_t>;

TEST(CodeGraph, FindsWhatLeadsToCodeByAnyWay) {
  CodeGraph graph;
  graph.Add("f1", CodeGraph::kAnyCode);
  graph.Add("o2", "f1");
  graph.Add("t3", "o2");  // a domain
  graph.Add("t4", "t3");  // an array of it
  graph.Add("T10", "t4");
  graph.Add("T11", "f1");
  graph.Add("T12", "f5");  // a function that is no code of interest
  graph.Add("I13", "o2");
  EXPECT_EQ(graph.Users('T', CodeGraph::kAnyCode), (Oids{10, 11}));
  EXPECT_EQ(graph.Users('I', CodeGraph::kAnyCode), Oids{13});
  EXPECT_TRUE(graph.Users('T', CodeGraph::kExtensionCode).empty());
}

TEST(CodeGraph, TellsCodeOfExtensionsApartAndEndsInACircle) {
  CodeGraph graph;
  graph.Add("f1", CodeGraph::kExtensionCode);
  graph.Add("v1", "v2");
  graph.Add("v2", "v1");
  graph.Add("v2", "f1");
  graph.Add("M4294967295", "v1");
  EXPECT_EQ(graph.Users('M', CodeGraph::kExtensionCode), Oids{4294967295});
  EXPECT_TRUE(graph.Users('M', CodeGraph::kAnyCode).empty());
}

}  // namespace
}  // namespace pgbackup
