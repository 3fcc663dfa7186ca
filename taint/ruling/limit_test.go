package ruling

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestLimits(t *testing.T) {
	tests := map[string]struct {
		limit intstr.IntOrString
		nodes int
		of    int
		// most is how many are not yet too many.
		most int
	}{
		"a number":               {intstr.FromInt32(3), 10, 3, 3},
		"more than there are":    {intstr.FromInt32(30), 10, 10, 30},
		"none":                   {intstr.FromInt32(0), 10, 0, 0},
		"none of none":           {intstr.FromInt32(3), 0, 0, 3},
		"a share":                {intstr.FromString("25%"), 8, 2, 2},
		"rounded down":           {intstr.FromString("25%"), 11, 2, 2},
		"one at least":           {intstr.FromString("1%"), 3, 1, 0},
		"the whole":              {intstr.FromString("100%"), 7, 7, 7},
		"no share":               {intstr.FromString("0%"), 1000, 0, 0},
		"a share of none":        {intstr.FromString("50%"), 0, 0, 0},
		"exactly the share":      {intstr.FromString("20%"), 5, 1, 1},
		"of a large fleet":       {intstr.FromString("33%"), 5000, 1650, 1650},
		"a share of one":         {intstr.FromString("10%"), 1, 1, 0},
		"no more than there are": {intstr.FromString("99%"), 1, 1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l, err := ParseLimit(tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.Of(tt.nodes); got != tt.of {
				t.Errorf("%s of %d is %d, want %d", tt.limit.String(), tt.nodes, got, tt.of)
			}
			if l.Exceeded(tt.most, tt.nodes) || !l.Exceeded(tt.most+1, tt.nodes) {
				t.Errorf("%d and %d of %d exceed it: %t, %t", tt.most, tt.most+1, tt.nodes, l.Exceeded(tt.most, tt.nodes), l.Exceeded(tt.most+1, tt.nodes))
			}
		})
	}
}

func TestParseLimitRefuses(t *testing.T) {
	for _, v := range []intstr.IntOrString{
		intstr.FromInt32(-1), intstr.FromString(""), intstr.FromString("10"), intstr.FromString("%"), intstr.FromString("101%"), intstr.FromString("-1%"),
		intstr.FromString("-0%"), intstr.FromString("+5%"), intstr.FromString("05%"), intstr.FromString("2.5%"), intstr.FromString("5 %"), intstr.FromString("5%%"), intstr.FromString("half"),
	} {
		if l, err := ParseLimit(v); err == nil {
			t.Errorf("%q is taken for %+v", v.String(), l)
		}
	}
}
