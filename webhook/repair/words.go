package repair

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxNamed is how many containers are named: more are counted.
const maxNamed = 10

// String says what was set and where: `NET_RAW added to
// securityContext.capabilities.drop of the containers "a", "b"`.
func (c *Change) String() string {
	var b strings.Builder
	if values, ok := c.Value.([]any); ok {
		for i, v := range values {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprint(&b, v)
		}
		b.WriteString(" added to " + c.Field)
	} else {
		b.WriteString(c.Field + " set to " + show(c.Value))
	}
	switch n := len(c.Containers); {
	case n == 1:
		b.WriteString(" in the container " + strconv.Quote(c.Containers[0]))
	case n > 1:
		var names []string
		for _, name := range c.Containers[:min(n, maxNamed)] {
			names = append(names, strconv.Quote(name))
		}
		b.WriteString(" in the containers " + strings.Join(names, ", "))
		if n > maxNamed {
			fmt.Fprintf(&b, " and %d more", n-maxNamed)
		}
	}
	return b.String()
}

// show writes a value for people: {type: RuntimeDefault}.
func show(value any) string {
	switch value := value.(type) {
	case map[string]any:
		var parts []string
		for name, v := range value {
			parts = append(parts, name+": "+show(v))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, v := range value {
			parts = append(parts, show(v))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(value)
}
