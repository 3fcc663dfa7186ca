// Package process starts, finds, measures and ends the programs of the lab.
//
// A program leaves two files in the state directory: run/NAME.pid and
// logs/NAME.log. A pid file holds the pid and the moment the process started,
// so that a later command ends that very process or nothing: pids are reused,
// a pid together with its start time is not. The package reads /proc and
// therefore works on Linux only.
package process
