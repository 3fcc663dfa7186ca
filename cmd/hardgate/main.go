// Command hardgate judges manifests without a cluster and machines as nodes, and
// prints the catalogue of controls.
package main

import "os"

func main() { os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
