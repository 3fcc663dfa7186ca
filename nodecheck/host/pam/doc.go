// Package pam reads the configuration of Linux-PAM and answers what a stack of
// modules can be brought to: see pam.conf(5). It runs no module and reads no
// module's own files.
package pam
