// Package manifest reads Kubernetes manifests into objects that know where they
// stood: YAML streams, JSON, and lists of either kind, from files, directories
// and standard input.
//
// It reads what kubectl would send, with the same YAML library, and refuses what
// readers disagree about: a name given twice, a merge that overrides a name given
// before it, text that hides behind a document's end. It judges nothing. Bad
// input never stops it: every problem is returned, and what could be read is too.
//
// A source is "file.yaml#1": the file as the user named it and the number of the
// document in it. Numbers count from 0 over every document, empty ones included;
// comments before the first "---" and behind a "..." are no document. In JSON,
// which needs no separator, each value is a document. An element of a list adds
// its index: "file.yaml#1[3]".
package manifest
