package policy

// defaultServiceAccount: CIS 1.8 5.1.5. Pods run under an account of their own, and
// the account "default" gives nobody a token. A pod counts even when it mounts no
// token: whatever is bound to the account is its own then.
var defaultServiceAccount = Policy{
	ID:     "default-service-account",
	Judges: func(s *Subject) bool { return s.Pod != nil || isDefaultAccount(s) },
	Check: func(s *Subject) []Finding {
		if s.Pod != nil {
			switch s.Pod.ServiceAccount {
			case "":
				return []Finding{s.spec().field("serviceAccountName").found(`serviceAccountName is unset, which is the account "default"`)}
			case "default":
				return []Finding{s.spec().field("serviceAccountName").found(`serviceAccountName is "default"`)}
			}
			return nil
		}
		at := place{}.field("automountServiceAccountToken")
		switch automount := s.ServiceAccount.Automount; {
		case !automount.Set:
			return []Finding{at.found(`automountServiceAccountToken of the account "default" is unset, which mounts its token`)}
		case automount.Value:
			return []Finding{at.found(`automountServiceAccountToken of the account "default" is true`)}
		}
		return nil
	},
	// Only the account is mended: another account for a pod is not ours to choose.
	Fix: func(s *Subject) []Default {
		if s.Pod != nil || s.ServiceAccount.Automount.Set {
			return nil
		}
		return []Default{{Pointer: []string{"automountServiceAccountToken"}, Value: false}}
	},
}

func isDefaultAccount(s *Subject) bool { return s.ServiceAccount != nil && s.Name == "default" }
