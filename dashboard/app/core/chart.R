# Plots as HTML and inline SVG: sharp at any width, coloured by the page's variables, no library in the browser.
# The shapes stretch with the page; the labels are text beside them and keep their size.

#' `count` or fewer round steps from 0 to at least `top`.
nice_ticks <- function(top, count = 4) {
  if (!is.finite(top) || top <= 0) return(c(0, 1))
  raw <- top / count
  unit <- 10^floor(log10(raw))
  step <- unit * c(1, 2, 2.5, 5, 10)[which(unit * c(1, 2, 2.5, 5, 10) >= raw - 1e-9)[1]]
  seq(0, ceiling(top / step - 1e-9) * step, by = step)
}

percent <- function(x) paste0(round(100 * x, 3), "%")

#' Columns over time. `unfinished` ones are drawn as an outline; `tips` are the texts under the pointer.
chart_columns <- function(values, labels, unfinished, tips, alt, lang) {
  ticks <- nice_ticks(max(values))
  top <- max(ticks)
  column <- function(i) {
    tags$rect(
      class = if (unfinished[i]) "unfinished", x = i - 0.88, width = 0.76,
      y = round(100 - 100 * values[i] / top, 3), height = round(100 * values[i] / top, 3), tags$title(tips[i])
    )
  }
  grid <- lapply(ticks, function(tick) {
    tags$line(x1 = 0, x2 = length(values), y1 = 100 - 100 * tick / top, y2 = 100 - 100 * tick / top)
  })
  tags$div(
    class = "columns", role = "img", `aria-label` = alt,
    tags$div(class = "y-axis", lapply(ticks, function(tick) {
      tags$span(style = paste0("bottom:", percent(tick / top)), format_short(tick, lang))
    })),
    tags$div(
      class = "plot",
      tags$svg(
        viewBox = paste("0 0", length(values), 100), preserveAspectRatio = "none", `aria-hidden` = "true",
        tags$g(class = "grid", grid), lapply(seq_along(values), column)
      ),
      tags$div(class = "x-axis", axis_labels(labels))
    )
  )
}

#' At most seven labels; every second one disappears on a narrow page. Among many narrow columns each is
#' anchored so that none leaves the plot.
axis_labels <- function(labels) {
  shown <- seq(1, length(labels), by = ceiling(length(labels) / 7))
  lapply(seq_along(shown), function(i) {
    at <- (shown[i] - 0.5) / length(labels)
    style <- paste0(
      "left:", percent(at), ";transform:translateX(-", if (length(labels) > 14) percent(at) else "50%", ")"
    )
    tags$span(class = if (i %% 2 == 0) "minor", style = style, labels[shown[i]])
  })
}

#' Little is still seen, nothing is not.
bar_width <- function(value, top) {
  paste0("width:", if (value > 0 && top > 0) percent(max(value / top, 0.003)) else "0")
}

#' The whole name is in the table and under the pointer.
shorten <- function(name, most = 48) if (nchar(name) > most) paste0(trimws(substr(name, 1, most)), "\u2026") else name

#' One horizontal bar a row: name, bar, value.
chart_bars <- function(names, values, texts, alt) {
  top <- max(values, 0)
  tags$div(class = "bars", role = "img", `aria-label` = alt, lapply(seq_along(values), function(i) {
    tagList(
      tags$span(class = "name", title = names[i], shorten(names[i])),
      tags$span(class = "track", tags$span(class = "bar", style = bar_width(values[i], top))),
      tags$span(class = "value", texts[i])
    )
  }))
}

#' Seven rows of 24 cells, `values` row by row, shaded by their share of the greatest.
chart_week <- function(values, tips, weekdays, hours, alt) {
  top <- max(values, 0)
  cell <- function(i) {
    tags$span(
      class = "cell", title = tips[i], style = paste0("--share:", round(if (top > 0) values[i] / top else 0, 3))
    )
  }
  rows <- lapply(seq_along(weekdays), function(day) {
    tagList(tags$span(class = "name", weekdays[day]), lapply((day - 1) * 24 + 1:24, cell))
  })
  foot <- lapply(0:23, function(hour) tags$span(class = "hour", if (hour %% 3 == 0) hours[hour + 1]))
  tags$div(class = "week", role = "img", `aria-label` = alt, rows, tags$span(), foot)
}

#' Steps of the funnel: a bar by the share of the first step, and what was lost since the step before.
chart_funnel <- function(names, counts, texts, losses, alt) {
  tags$div(class = "funnel", role = "img", `aria-label` = alt, lapply(seq_along(counts), function(i) {
    tagList(
      if (i > 1) tags$span(class = "loss", losses[i]),
      tags$span(class = "name", names[i]),
      tags$span(class = "track", tags$span(
        class = "bar", style = bar_width(counts[i], counts[1])
      )),
      tags$span(class = "value", texts[i])
    )
  }))
}
