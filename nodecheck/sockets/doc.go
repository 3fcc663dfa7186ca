// Package sockets asks the kernel which TCP ports something listens on, in the
// network namespace of the caller. The tables in /proc name every connection too, and
// on a busy node the kernel takes milliseconds to write one.
package sockets
