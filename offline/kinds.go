package offline

import (
	"fmt"
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// known refuses a kind that no API server has and whose name is that of a workload:
// no control would judge its pod. A group with a dot is one that anybody may define.
func known(k workload.Kind) error {
	if workload.IsWorkload(k) || strings.Contains(k.Group, ".") {
		return nil
	}
	for is := range builtIn {
		meant := workload.Kind{Group: is.group, Version: "v1", Kind: is.kind} // every workload has a v1
		if is.group != "extensions" && strings.EqualFold(is.kind, k.Kind) && workload.IsWorkload(meant) {
			return fmt.Errorf("the API server has no %s, did you mean %s?", k, meant)
		}
	}
	return nil
}
