package audit

import "github.com/hardgate-dev/hardgate/webhook/scan"

// spent is whether an object starts nothing any more: a pod that has ended, a Job that
// is finished, a ReplicaSet without replicas that a Deployment keeps as history. What
// cannot be read is not spent.
func spent(kind string, controlled bool, item []byte) bool {
	switch kind {
	case "Pod":
		phase := text(item, "status", "phase")
		return phase == "Succeeded" || phase == "Failed"
	case "Job":
		return finished(item)
	case "ReplicaSet":
		return controlled && text(item, "spec", "replicas") == "0" && text(item, "status", "replicas") == "0"
	}
	return false
}

// text is the string or the number at a path; empty if it is not there.
func text(item []byte, path ...string) (value string) {
	s := scan.New(item)
	var descend func(path []string) error
	descend = func(path []string) error {
		if len(path) == 0 {
			raw, err := s.Raw()
			value = string(raw)
			if len(raw) > 1 && raw[0] == '"' {
				value = string(raw[1 : len(raw)-1])
			}
			return err
		}
		_, err := s.Object(func(name []byte) error {
			if string(name) == path[0] {
				return descend(path[1:])
			}
			return s.Skip()
		})
		return err
	}
	if descend(path) != nil {
		return ""
	}
	return value
}

// finished is whether a Job says that it is complete or has failed.
func finished(item []byte) (done bool) {
	s := scan.New(item)
	member := func(want string, read func() error) error {
		_, err := s.Object(func(name []byte) error {
			if string(name) == want {
				return read()
			}
			return s.Skip()
		})
		return err
	}
	err := member("status", func() error {
		return member("conditions", func() error {
			return s.List(func(int) error {
				var kind, status string
				_, err := s.Object(func(name []byte) (err error) {
					switch string(name) {
					case "type":
						kind, err = s.String()
					case "status":
						status, err = s.String()
					default:
						err = s.Skip()
					}
					return err
				})
				done = done || status == "True" && (kind == "Complete" || kind == "Failed")
				return err
			})
		})
	})
	return err == nil && done
}
