// Package report is the one model of what was judged, and how it is printed. It
// judges nothing and reads nothing: the same results make the table, the JSON and
// the YAML.
package report
