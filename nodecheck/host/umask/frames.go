package umask

func (p *parser) top() string {
	if len(p.frames) == 0 {
		return ""
	}
	return p.frames[len(p.frames)-1].word
}

func (p *parser) push(word string) {
	p.frames = append(p.frames, frame{word: word, before: p.masks, maybe: p.maybe})
	p.maybe = false
}

// frame is the innermost open command if it is of a kind.
func (p *parser) frame(word string) *frame {
	if p.top() != word {
		return nil
	}
	return &p.frames[len(p.frames)-1]
}

// branch ends one branch of a command and begins the next.
func (p *parser) branch(word string) {
	p.maybe = false
	if f := p.frame(word); f != nil {
		f.end(p.masks)
		p.masks = f.before
	}
}

// end notes where a branch ends.
func (f *frame) end(masks []Mask) {
	f.out = union(f.out, masks)
	if f.reads {
		f.wanted = union(f.wanted, masks)
		f.reads = false
	}
}

// pop closes a command: the umask behind it is that of any branch, and that before
// it where none may have run.
func (p *parser) pop(word string) {
	p.maybe = false
	if p.frame(word) == nil {
		return
	}
	f := p.frames[len(p.frames)-1]
	p.frames = p.frames[:len(p.frames)-1]
	if f.word == "(" { // a shell of its own
		p.masks = f.before
		return
	}
	if !f.fresh {
		f.end(p.masks)
	}
	switch {
	case len(f.wanted) > 0:
		p.masks = f.wanted
	case f.maybe || f.word == "loop" || f.word != "{" && !f.always:
		p.masks = union(f.before, f.out)
	default:
		p.masks = f.out
	}
}
