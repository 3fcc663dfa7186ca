// Package skew builds programs whose wall clock can be set, also while they run. The clock
// of a process cannot be: it is the machine's. So they are built with a time.Now that adds
// what a file says. All that asks for the time gets the other one, TLS and X.509 with it;
// what is measured by the monotonic clock, such as timers and deadlines, goes on as it did.
package skew
