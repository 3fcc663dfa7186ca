// Package helm tests hardgate as it is installed: its images in a container runtime, its
// chart by Helm, its pods on a real node, whose API server calls the webhook through its
// Service. It is root's, with containerd; all of it runs in an enclosure.
package helm
