// Package watch tells when something has changed of what a scan looked at. Files and
// directories are watched by inotify, which reports whatever happens to a name in a
// directory: written, replaced by another, made anew. The values of /proc and /sys
// report nothing and are read again from time to time.
//
// It says that something may have changed and never what that means: the scan after
// it judges. What it misses, such as a file on a network file system, the next full
// pass finds.
package watch
