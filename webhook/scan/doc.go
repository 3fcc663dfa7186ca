// Package scan reads JSON in one pass, straight from bytes, for decoders that
// want a few fields of a large document.
//
// It is as strict as the API server's own decoding of what it forwards, and
// stricter where a lax reader could be fooled: names are case-sensitive; a name
// given twice in one object is refused wherever it stands, unless the decoder says
// that nobody reads the part; so are control characters in strings and nesting
// deeper than MaxDepth. What is skipped is still checked for form, so that a
// value's end is never guessed.
//
// It does not build values: a decoder asks for what it wants and skips the rest.
package scan
