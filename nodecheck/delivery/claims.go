package delivery

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Claims are what a token that is bound to a pod says of the pod and its node. They
// are read from our own token and not verified: the API server does that.
type Claims struct {
	Namespace string
	Node      Bound
	Pod       Bound
}

// Bound names an object.
type Bound struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

// ReadClaims reads the claims of a token. A token that is none of a pod's, such as
// one of a static file, has none, which is no error.
func ReadClaims(token string) (Claims, error) {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return Claims{}, nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Claims{}, errors.New("reading the claims of the token: not base64") // what it says instead is not to be shown
	}
	var claims struct {
		Kubernetes struct {
			Namespace string `json:"namespace"`
			Node      Bound  `json:"node"`
			Pod       Bound  `json:"pod"`
		} `json:"kubernetes.io"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return Claims{}, errors.New("reading the claims of the token: not JSON")
	}
	k := claims.Kubernetes
	return Claims{Namespace: k.Namespace, Node: k.Node, Pod: k.Pod}, nil
}

// NodeName returns the node's name: the one given or, without it, that of the
// token's claims. Two that differ are an error: the API server would not let this
// pod write the report of another node.
func NodeName(given string, c Claims) (string, error) {
	switch {
	case given == "" && c.Node.Name == "":
		return "", errors.New("the node's name is not known: give --node-name or NODE_NAME, the token does not say it")
	case given == "":
		return c.Node.Name, nil
	case c.Node.Name != "" && c.Node.Name != given:
		return "", fmt.Errorf("--node-name or NODE_NAME is %q, but the token is bound to the node %q", given, c.Node.Name)
	}
	return given, nil
}
