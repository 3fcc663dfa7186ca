package webhook

import (
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// wording is what messages say of a control.
type wording struct{ title, remedy string }

// wordings is made once: messages are written on every request that has findings.
var wordings = func() map[control.ID]wording {
	words := make(map[control.ID]wording)
	for _, p := range policy.All() {
		c, _ := control.Get(p.ID)
		w := wording{title: string(p.ID), remedy: c.Remedy.EN}
		if n := control.Number(p.ID, control.DefaultBenchmark); n != "" {
			w.title += " (CIS " + n + ")"
		}
		words[p.ID] = w
	}
	return words
}()

// title is "privileged (CIS 5.2.2)", by the default edition's number.
func title(id control.ID) string { return wordings[id].title }

func remedy(id control.ID) string { return wordings[id].remedy }
