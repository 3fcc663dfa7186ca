// Command hardgate judges manifests without a cluster and machines as nodes, asks a
// cluster what a policy for its nodes would do, and prints the benchmark's table for a
// cluster and the catalogue of controls.
package main

import "os"

func main() { os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
