package policy

// secretsAsEnv: CIS 1.8 5.4.1. A Secret in the environment is seen by every child
// process and in crash dumps; a file is not. One variable counts, and envFrom.
var secretsAsEnv = Policy{
	ID:     "secrets-as-env",
	Judges: pods,
	Check: func(s *Subject) (found []Finding) {
		for c := range s.Pod.Containers() {
			for _, e := range c.Env {
				at := s.container(c).item("env", e.Index, e.Name+"="+e.Secret+"/"+e.Key)
				found = append(found, at.field("valueFrom.secretKeyRef").found("variable %q is key %q of Secret %q", e.Name, e.Key, e.Secret))
			}
			for _, e := range c.EnvFrom {
				at := s.container(c).item("envFrom", e.Index, e.Secret)
				found = append(found, at.field("secretRef").found("every key of Secret %q becomes a variable", e.Secret))
			}
		}
		return found
	},
}
