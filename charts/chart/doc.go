// Package chart renders and checks the Helm chart of hardgate with Helm's own code. The
// manifests of the checkout are what it renders, so that who installs with kubectl gets
// what who installs with Helm gets.
package chart
