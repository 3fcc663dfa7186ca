package dashboard

// Columns of the grid, and the sizes of panels in it.
const (
	columns     = 24
	statWidth   = 4
	statHeight  = 4
	graphWidth  = 8
	graphHeight = 8
)

// row is a title and what is below it.
type row struct {
	title  string
	panels []panel
}

// panel is a number or a graph.
type panel struct {
	title, description, unit string
	// colour is that of a number.
	colour  []Step
	queries []query
	number  bool
}

type query struct{ expr, legend string }

func graph(title, unit, description string, queries ...query) panel {
	return panel{title: title, unit: unit, description: description, queries: queries}
}

func number(title, unit, description string, colour []Step, expr string) panel {
	return panel{title: title, unit: unit, description: description, colour: colour, queries: []query{{expr, ""}}, number: true}
}

// from is one colour below a value and another from it on.
func from(value float64, below, above string) []Step {
	return []Step{{Color: below}, {Color: above, Value: &value}}
}

// lay puts rows below each other, and panels beside each other for as long as there is
// room.
func lay(rows []row) (panels []Panel) {
	y := 0
	add := func(p Panel) {
		p.ID = len(panels) + 1
		panels = append(panels, p)
	}
	for _, r := range rows {
		add(Panel{Type: "row", Title: r.title, Position: Position{Height: 1, Width: columns, Y: y}})
		y++
		x, height := 0, 0
		for _, p := range r.panels {
			width, h := graphWidth, graphHeight
			if p.number {
				width, h = statWidth, statHeight
			}
			if x+width > columns || height != 0 && h != height {
				x, y = 0, y+height
			}
			height = h
			add(p.build(Position{Height: h, Width: width, X: x, Y: y}))
			x += width
		}
		y += height
	}
	return panels
}

func (p *panel) build(at Position) Panel {
	source := &DataSource{Type: "prometheus", UID: "${datasource}"}
	built := Panel{
		Type: "timeseries", Title: p.title, Description: p.description, Position: at, DataSource: source,
		FieldConfig: &FieldConfig{Defaults: Defaults{Unit: p.unit, Min: new(0.0)}},
	}
	if p.number {
		built.Type = "stat"
		built.FieldConfig.Defaults = Defaults{Unit: p.unit, Thresholds: &Thresholds{Mode: "absolute", Steps: p.colour}}
		built.Options = &Options{ReduceOptions: Reduce{Calcs: []string{"lastNotNull"}}, ColorMode: "background"}
	}
	for i, q := range p.queries {
		built.Targets = append(built.Targets, Target{RefID: string(rune('A' + i)), Expr: q.expr, Legend: q.legend})
	}
	return built
}
