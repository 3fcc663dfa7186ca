package host

import "io/fs"

// kind is how a person calls a type of file.
func kind(t fs.FileMode) string {
	switch {
	case t == fs.ModeDir:
		return "a directory"
	case t == fs.ModeSymlink:
		return "a symbolic link"
	case t == fs.ModeNamedPipe:
		return "a FIFO"
	case t == fs.ModeSocket:
		return "a socket"
	case t&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
