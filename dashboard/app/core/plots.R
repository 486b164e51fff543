# A plot is an ECharts option as plain lists: `page.js` draws it. `alt` says in words what it shows. Each datum has `tip`,
# the words under the pointer, and may have `pick`, what a click on it filters by.

plot_of <- function(option, alt, height = NULL, unit = "count") {
  option$tooltip <- c(option$tooltip, list(show = TRUE))
  list(option = option, alt = alt, height = height, unit = unit)
}

plot_output <- function(id, height, class = NULL) {
  tags$div(id = id, class = paste(c("plot", class), collapse = " "), role = "img", tabindex = "0", `aria-label` = "\u2026",
    `data-height` = height, style = paste0("height:", height, "px"))
}

as_number <- function(x) if (is.na(x)) "-" else x # ECharts' gap

data_of <- function(values, tips, picks = NULL, styles = NULL) {
  lapply(seq_along(values), function(i) {
    c(
      list(value = as_number(values[[i]]), tip = tips[[i]]), if (!is.null(picks[[i]])) list(pick = picks[[i]]),
      if (!is.null(styles[[i]])) list(itemStyle = styles[[i]])
    )
  })
}

pick_of <- function(kind, values) lapply(values, function(value) list(kind = kind, value = value))

unfinished_style <- list(opacity = 0.35, borderWidth = 1.5, borderType = "dashed", borderColor = "#808a94")
grid_of <- function(...) utils::modifyList(list(left = 8, right = 16, top = 12, bottom = 8, containLabel = TRUE), list(...))

legend_of <- function(...) list(top = 0, left = 0, itemHeight = 10, itemWidth = 16, ...)

#' Columns over time, and those of the period before as a line over them.
plot_over_time <- function(labels, now, before, names, tips, tips_before, alt, picks, unfinished, unit = "count") {
  styles <- lapply(unfinished, function(open) if (open) unfinished_style)
  plot_of(list(
    grid = grid_of(top = 36), legend = legend_of(), tooltip = list(trigger = "axis"),
    xAxis = list(type = "category", data = as.list(labels), axisTick = list(show = FALSE)), yAxis = list(type = "value"),
    series = list(
      list(type = "bar", name = names[1], data = data_of(now, tips, picks, styles), barMaxWidth = 60),
      list(
        type = "line", name = names[2], data = data_of(before, tips_before), symbol = "circle", symbolSize = 5,
        lineStyle = list(type = "dashed", width = 2)
      )
    )
  ), alt, unit = unit)
}

#' Lines over the same labels, one a series.
plot_lines <- function(labels, series, alt, unit = "count") {
  plot_of(list(
    grid = grid_of(top = 36), legend = legend_of(type = "scroll"), tooltip = list(trigger = "item"),
    xAxis = list(type = "category", data = as.list(labels)), yAxis = list(type = "value"),
    series = lapply(series, function(one) c(one, list(type = "line", symbolSize = 5, connectNulls = FALSE)))
  ), alt, unit = unit)
}

#' Columns side by side or on one another.
plot_columns <- function(labels, series, alt, stack = NULL, unit = "count") {
  plot_of(list(
    grid = grid_of(top = if (length(series) > 1) 36 else 12), legend = legend_of(show = length(series) > 1),
    tooltip = list(trigger = "axis"),
    xAxis = list(type = "category", data = as.list(labels)), yAxis = list(type = "value"),
    series = lapply(series, function(one) c(one, list(type = "bar", stack = stack, barMaxWidth = 60)))
  ), alt, unit = unit)
}

#' The whole name is in the table and under the pointer.
shorten <- function(names, most = 60) {
  ifelse(nchar(names) > most, paste0(trimws(substr(names, 1, most)), "\u2026"), names)
}

#' One horizontal bar a row, the first on top, each with its text at the end.
plot_bars <- function(names, values, texts, alt, picks = NULL, unit = "count") {
  data <- data_of(values, paste0(names, ": ", texts), picks)
  for (i in seq_along(data)) data[[i]]$label <- list(show = TRUE, position = "right", formatter = literal(texts[i]))
  plot_of(list(
    grid = grid_of(right = 14 + 7 * max(nchar(texts), 1), top = 0), tooltip = list(trigger = "item"),
    xAxis = list(type = "value", axisLabel = list(show = FALSE), splitLine = list(show = FALSE)),
    yAxis = list(
      type = "category", inverse = TRUE, names = TRUE, data = as.list(unname(shorten(names))), axisTick = list(show = FALSE),
      axisLine = list(show = FALSE)
    ),
    series = list(list(type = "bar", data = data, barMaxWidth = 20, label = list(color = "inherit")))
  ), alt, height = 24 + 28 * length(values), unit = unit)
}

#' A label in which ECharts finds nothing to fill in.
literal <- function(text) gsub("[{}]", "", text)

#' Cells of a grid, `values` row by row, shaded by their share of the greatest, or of `least_top` where all are small.
plot_heat <- function(columns, rows, values, tips, alt, labels = NULL, height = 300, least_top = 0.0001) {
  at <- expand.grid(x = seq_along(columns) - 1, y = seq_along(rows) - 1)
  data <- lapply(seq_along(values), function(i) {
    c(
      list(value = list(at$x[i], at$y[i], as_number(values[i])), tip = tips[i]),
      if (!is.null(labels) && !is.na(values[i])) list(label = list(show = TRUE, formatter = literal(labels[i])))
    )
  })
  plot_of(list(
    grid = grid_of(top = 4, bottom = if (is.null(labels)) 44 else 4), tooltip = list(trigger = "item"),
    xAxis = list(type = "category", data = as.list(columns), axisTick = list(show = FALSE)),
    yAxis = list(type = "category", inverse = TRUE, data = as.list(rows), axisTick = list(show = FALSE)),
    visualMap = list(min = 0, max = max(values, least_top, na.rm = TRUE), orient = "horizontal", left = "center", bottom = 0, itemHeight = 120,
      show = is.null(labels)),
    series = list(list(type = "heatmap", data = data[!is.na(values)], itemStyle = list(borderRadius = 2)))
  ), alt, height = height)
}

#' A line as high as a word, beside a figure.
plot_spark <- function(values, tips, alt) {
  plot_of(list(
    grid = list(left = 2, right = 2, top = 4, bottom = 2), tooltip = list(trigger = "axis"),
    xAxis = list(type = "category", show = FALSE), yAxis = list(type = "value", show = FALSE, min = 0),
    series = list(list(
      type = "line", data = data_of(values, tips), symbol = "none", areaStyle = list(opacity = 0.2), lineStyle = list(width = 2)
    ))
  ), alt)
}

#' Events of one step after another, and how many went from each to each.
plot_sankey <- function(nodes, links, alt, height = 380) {
  plot_of(list(
    tooltip = list(trigger = "item"),
    series = list(list(
      type = "sankey", data = nodes, links = links, left = 4, right = "20%", top = 8, bottom = 8, nodeWidth = 12, nodeGap = 18,
      draggable = FALSE, emphasis = list(focus = "adjacency")
    ))
  ), alt, height = height)
}
