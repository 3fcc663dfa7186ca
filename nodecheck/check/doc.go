// Package check judges one node: a check is a pure function from what package host
// reads to a result. It opens no file itself, knows no cluster and no clock, and
// never guesses: what could not be read is an error, which the runner alone turns
// into Unknown.
//
// An id in a message is a file here: "perm-crontab" is perm_crontab.go, its cases
// are in testdata/perm-crontab/, its words in package control.
package check
