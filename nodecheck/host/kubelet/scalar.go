package kubelet

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// What a scalar is. The kubelet reads YAML 1.1, in which "yes", "on" and "y" are
// true and a number may have underscores.
const (
	kindOther = iota // a mapping, a list, or what has a tag
	kindNull
	kindBool
	kindNumber
	kindText
)

var (
	trueWords  = []string{"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"}
	falseWords = []string{"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"}
	nullWords  = []string{"", "~", "null", "Null", "NULL"}
)

func kindOf(n *yaml.Node) int {
	switch {
	case n.Kind != yaml.ScalarNode || n.Style&yaml.TaggedStyle != 0:
		return kindOther
	case n.Style != 0: // quoted, or a block
		return kindText
	case slices.Contains(nullWords, n.Value):
		return kindNull
	case slices.Contains(trueWords, n.Value), slices.Contains(falseWords, n.Value):
		return kindBool
	case !strings.ContainsAny(n.Value[:1], "+-.0123456789"):
		return kindText
	}
	plain := strings.ReplaceAll(n.Value, "_", "")
	if _, err := strconv.ParseInt(plain, 0, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return kindNumber
	}
	if _, err := strconv.ParseFloat(plain, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return kindNumber
	}
	return kindText
}

// scalar is the text of a string; empty for anything else.
func scalar(n *yaml.Node) string {
	if kindOf(n) != kindText {
		return ""
	}
	return n.Value
}

// maxItems bounds a list.
const maxItems = 1000

// convert makes a value of a node as the kubelet decodes a field of a type: it never
// takes a string for a number, or a number for a string.
func convert(n *yaml.Node, k kind) (any, error) {
	if n.Style&yaml.TaggedStyle != 0 {
		return nil, errTag
	}
	got := kindOf(n)
	switch {
	case k == boolean && got == kindBool:
		return slices.Contains(trueWords, n.Value), nil
	case k == integer && got == kindNumber:
		v, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 64)
		if err != nil {
			return nil, errType
		}
		return v, nil
	case k == text && got == kindText:
		return n.Value, nil
	case k == duration && got == kindText:
		v, err := time.ParseDuration(n.Value)
		if err != nil {
			return nil, errType
		}
		return v, nil
	case k == list && n.Kind == yaml.SequenceNode && len(n.Content) <= maxItems:
		items := make([]string, 0, len(n.Content))
		for _, item := range n.Content {
			if item = follow(item); item == nil || kindOf(item) != kindText {
				return nil, errType
			}
			items = append(items, item.Value)
		}
		return items, nil
	}
	return nil, errType
}

// parse makes a value of what a flag is given, as package pflag does: the last value
// counts, and every one must be right.
func parse(values []string, k kind) (value any, err error) {
	var items []string
	for _, v := range values {
		switch k {
		case boolean:
			value, err = strconv.ParseBool(v)
		case integer:
			value, err = strconv.ParseInt(v, 0, 64)
		case duration:
			value, err = time.ParseDuration(v)
		case list: // each flag adds to those before it
			if strings.ContainsAny(v, "\"\n\r") { // it is read as CSV
				return nil, errType
			}
			if v != "" {
				items = append(items, strings.Split(v, ",")...)
			}
			value = items
		case text:
			value = v
		}
		if err != nil {
			return nil, err
		}
	}
	return value, nil
}
