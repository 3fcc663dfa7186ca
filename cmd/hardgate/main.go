// Command hardgate judges manifests without a cluster, and prints the catalogue of
// controls.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
