// Package patch writes the controller's decisions to the API server: taints, conditions
// and what reports ask of agents. Each write touches what is hardgate's and nothing
// else, only if it is not so already, and says how it ended, which with networks in
// between is not always known.
package patch
