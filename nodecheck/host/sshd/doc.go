// Package sshd tells what the configuration of a node's OpenSSH server comes to,
// without running it: which unit starts it with which options, what its files say
// in the order in which the server reads them, and what holds where they say
// nothing. Its rules are those of sshd_config(5) and of servconf.c in OpenSSH.
//
// Where the server would refuse what is written, it goes on with what it read
// before, which nobody can read: that is an error here, never a value.
package sshd
