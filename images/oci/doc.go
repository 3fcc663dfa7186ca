// Package oci writes container images without a container daemon: layers of given
// files, the image of a platform, an index of platforms, and the archive of an image
// layout that runtimes import. The same content gives the same bytes, whenever and
// wherever: nothing is taken from the machine, the clock or a base image.
package oci
