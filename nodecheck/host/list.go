//go:build linux

package host

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// list reads a directory. unix.ParseDirent gives no types, so that each would cost
// a call; the records have them.
func list(fd int) ([]Entry, error) {
	var entries []Entry
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil {
			return nil, err
		}
		if n <= 0 {
			break
		}
		for rest := buf[:n]; len(rest) > 0; {
			name, dtype, size, err := dirent(rest)
			if err != nil {
				return nil, err
			}
			rest = rest[size:]
			if name == "." || name == ".." {
				continue
			}
			t, ok := direntTypes[dtype]
			if !ok { // a file system without types in its directories
				var st unix.Stat_t
				if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
					continue // gone meanwhile
				}
				t = typeOf(st.Mode)
			}
			entries = append(entries, Entry{Name: name, Type: t})
		}
		if len(entries) > maxEntries {
			return nil, fmt.Errorf("%w: more than %d names", ErrTooLarge, maxEntries)
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

// dirent takes one struct linux_dirent64 apart: 8 bytes of inode, 8 of offset, 2
// of length, 1 of type, then the name up to a NUL.
func dirent(record []byte) (name string, dtype byte, size int, err error) {
	const head = 19
	if len(record) < head {
		return "", 0, 0, unix.EIO
	}
	size = int(record[16]) | int(record[17])<<8
	if size < head || size > len(record) {
		return "", 0, 0, unix.EIO
	}
	text, _, _ := strings.Cut(string(record[head:size]), "\x00")
	return text, record[18], size, nil
}

var direntTypes = map[byte]fs.FileMode{
	unix.DT_REG: 0, unix.DT_DIR: fs.ModeDir, unix.DT_LNK: fs.ModeSymlink, unix.DT_FIFO: fs.ModeNamedPipe,
	unix.DT_SOCK: fs.ModeSocket, unix.DT_BLK: fs.ModeDevice, unix.DT_CHR: fs.ModeDevice | fs.ModeCharDevice,
}

func typeOf(mode uint32) fs.FileMode {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	case unix.S_IFBLK:
		return fs.ModeDevice
	case unix.S_IFCHR:
		return fs.ModeDevice | fs.ModeCharDevice
	}
	return fs.ModeIrregular
}
