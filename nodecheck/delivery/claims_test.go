package delivery

import (
	"strings"
	"testing"
)

func TestNodeName(t *testing.T) {
	claims, err := ReadClaims(bound + "\n")
	if err != nil || claims.Node.UID != "uid-1" || claims.Namespace != "hardgate" {
		t.Fatalf("claims %+v, %v", claims, err)
	}
	for name, c := range map[string]struct {
		given  string
		claims Claims
		want   string
		err    string
	}{
		"given and bound":   {"node-1", claims, "node-1", ""},
		"bound only":        {"", claims, "node-1", ""},
		"given only":        {"node-2", Claims{}, "node-2", ""},
		"neither":           {"", Claims{}, "", "NODE_NAME"},
		"bound to another":  {"node-2", claims, "", `bound to the node "node-1"`},
		"another by a case": {"Node-1", claims, "", "bound to the node"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := NodeName(c.given, c.claims)
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestReadClaims(t *testing.T) {
	for name, c := range map[string]struct {
		token string
		fails bool
	}{
		"empty": {"", false}, "static": {"secret-token", false},
		"not base64": {"a.%%%secret.c", true}, "not JSON": {"a.c2VjcmV0.c", true}, "other claims": {"e30.e30.x", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadClaims(c.token)
			if (err != nil) != c.fails || got != (Claims{}) {
				t.Errorf("got %+v, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}
