// Package umask tells which umask a shell of a node begins with, from the files
// that shells read for everybody. It runs no shell: it follows the commands that
// set a umask, the files that are read on the way and the conditions around both,
// and where a condition decides, it keeps every outcome.
package umask
