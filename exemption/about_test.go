package exemption

import "testing"

func TestMayExemptNodes(t *testing.T) {
	tests := map[string]struct {
		spec string
		want bool
	}{
		"of objects, a kind misspelt":         {"{controls: [privileged], objects: {kinds: [pods]}" + because, false},
		"of objects, a field misspelt":        {"{controls: [privileged], objects: {namespace: [shop]}" + because, false},
		"of objects, a control misspelt":      {"{controls: [privilegd], objects: {namespaces: [shop]}" + because, false},
		"of objects, a control like no other": {"{controls: [q], objects: {namespaces: [shop]}" + because, false},
		"of objects, without a control":       {"{controls: [], objects: {namespaces: [shop]}" + because, false},
		"of objects, and of null":             {"{controls: [privileged], nodes: null, objects: {kinds: [pods]}" + because, false},
		"of objects, without an owner":        {"{controls: [privileged], objects: {kinds: [Pod]}, reason: r, expires: '2030-01-31T12:00:00Z'}", false},
		"of objects, without a good time":     {"{controls: [privileged], objects: {kinds: [Pod]}, reason: r, owner: o, expires: soon}", false},
		"of nodes":                            {"{controls: [no-such], nodes: {names: [a]}" + because, true},
		"of both":                             {"{controls: [privileged, su-restricted], nodes: {names: [a]}, objects: {kinds: [pods]}" + because, true},
		"of both, one without a name":         {"{controls: [privileged], nodes: {}, objects: {kinds: [Pod]}" + because, true},
		"of nothing":                          {"{controls: [privileged]" + because, true},
		"of objects that are null":            {"{controls: [privileged], objects: null" + because, true},
		"a control of nodes, nodes forgotten": {"{controls: [privileged, su-restricted], objects: {kinds: [Pod]}" + because, true},
		"a control of nodes, misspelt":        {"{controls: [su-restrictd], objects: {kinds: [Pod]}" + because, true},
		"nodes misspelt":                      {"{controls: [privileged], node: {names: [a]}, objects: {kinds: [Pod]}" + because, true},
		"controls misspelt":                   {"{control: [su-restricted], objects: {kinds: [Pod]}" + because, true},
		"controls that are no list":           {"{controls: su-restricted, objects: {kinds: [Pod]}" + because, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data := text(t, tt.spec)
			if _, err := Read(data); err == nil {
				t.Fatal("it is understood")
			}
			if got := MayExemptNodes(data); got != tt.want {
				t.Errorf("%t", got)
			}
		})
	}
	for _, data := range []string{"", "[]", "{}", `{"spec":[]}`, `{"spec":null}`} {
		if !MayExemptNodes([]byte(data)) {
			t.Errorf("%q is about objects alone", data)
		}
	}
}

func TestMayExemptObjects(t *testing.T) {
	tests := map[string]struct {
		spec string
		want bool
	}{
		"of nodes, a field misspelt":              {"{controls: [su-restricted], nodes: {name: [a]}" + because, false},
		"of nodes, a control misspelt":            {"{controls: [su-restrictd], nodes: {names: [a]}" + because, false},
		"of nodes, a control like no other":       {"{controls: [q], nodes: {names: [a]}" + because, false},
		"of nodes, without a control":             {"{controls: [], nodes: {names: [a]}" + because, false},
		"of nodes, and of null":                   {"{controls: [su-restricted], nodes: {name: [a]}, objects: null" + because, false},
		"of nodes, without an owner":              {"{controls: [su-restricted], nodes: {names: [a]}, reason: r, expires: '2030-01-31T12:00:00Z'}", false},
		"of nodes, without a good time":           {"{controls: [su-restricted], nodes: {names: [a]}, reason: r, owner: o, expires: soon}", false},
		"of objects":                              {"{controls: [privileged], objects: {kinds: [pods]}" + because, true},
		"of both":                                 {"{controls: [privileged, su-restricted], nodes: {names: [a]}, objects: {kinds: [pods]}" + because, true},
		"of nothing":                              {"{controls: [su-restricted]" + because, true},
		"of nodes that are null":                  {"{controls: [su-restricted], nodes: null" + because, true},
		"a control of objects, objects forgotten": {"{controls: [privileged, su-restricted], nodes: {names: [a]}" + because, true},
		"a control of objects, misspelt":          {"{controls: [privilegd], nodes: {names: [a]}" + because, true},
		"objects misspelt":                        {"{controls: [su-restricted], object: {kinds: [Pod]}, nodes: {names: [a]}" + because, true},
		"controls misspelt":                       {"{control: [privileged], nodes: {names: [a]}" + because, true},
		"controls that are no list":               {"{controls: privileged, nodes: {names: [a]}" + because, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data := text(t, tt.spec)
			if _, err := Read(data); err == nil {
				t.Fatal("it is understood")
			}
			if got := MayExemptObjects(data); got != tt.want {
				t.Errorf("%t", got)
			}
		})
	}
	for _, data := range []string{"", "[]", "{}", `{"spec":[]}`, `{"spec":null}`} {
		if !MayExemptObjects([]byte(data)) {
			t.Errorf("%q is about nodes alone", data)
		}
	}
}
