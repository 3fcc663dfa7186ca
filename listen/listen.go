// Package listen tells apart the addresses that a program is told to listen on. Two that
// are the same would be an error of the kernel's, which names neither flag, or, where the
// first to listen answers for both, none at all.
package listen

import (
	"errors"
	"fmt"
	"net"
)

// Flag is a flag and the address that it was given, host:port.
type Flag struct{ Name, Address string }

// Distinct returns an error for each two flags of which the second could not listen. What
// is turned off, by "" or "0", and a port that the kernel chooses are never the same as
// another; what is no address is left to who listens.
func Distinct(flags ...Flag) error {
	var errs []error
	for i, a := range flags {
		for _, b := range flags[:i] {
			if overlap(a.Address, b.Address) {
				errs = append(errs, fmt.Errorf("--%s is %s and --%s is %s: give each a port of its own", b.Name, b.Address, a.Name, a.Address))
			}
		}
	}
	return errors.Join(errs...)
}

func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" || portA == "" {
		return false
	}
	return hostA == hostB || all(hostA) || all(hostB) || loopback(hostA) && loopback(hostB)
}

// all is whether a host stands for every address of the machine.
func all(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// loopback is whether a host is the address that localhost is as a rule.
func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" }
