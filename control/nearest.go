package control

import (
	"fmt"
	"strings"
)

// Nearest returns the known name that takes the fewest edits to reach from
// name, and false when all are too far away to be a likely slip.
func Nearest(name string, known []string) (string, bool) {
	best, distance := "", len(name)/2+2
	for _, k := range known {
		if d := edits(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	return best, best != ""
}

// Hint is the tail of an error message about an unknown name: `, did you mean
// "x"?`, or the list of what is known when nothing is near.
func Hint(name string, known []string) string {
	if n, ok := Nearest(name, known); ok {
		return fmt.Sprintf(", did you mean %q?", n)
	}
	return ": use one of " + strings.Join(known, ", ")
}

// edits is the Levenshtein distance in bytes; ids and field names are ASCII.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
