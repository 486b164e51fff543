# Tables and CSV of a panel's rows.

#' One column: its name in the rows, the key of its heading, and how a value is written.
column <- function(name, heading, write = identity, number = FALSE) {
  list(name = name, heading = heading, write = write, number = number)
}

table_of <- function(rows, columns, t, caption) {
  cells <- lapply(columns, function(column) {
    text <- as.character(column$write(rows[[column$name]]))
    text[is.na(text)] <- "\u2013"
    text
  })
  head <- lapply(
    columns, function(column) tags$th(scope = "col", class = if (column$number) "number", t(column$heading))
  )
  body <- lapply(seq_len(nrow(rows)), function(i) {
    tags$tr(lapply(seq_along(columns), function(j) tags$td(class = if (columns[[j]]$number) "number", cells[[j]][i])))
  })
  tags$div(
    class = "scroll", tabindex = "0", role = "region", `aria-label` = caption,
    tags$table(tags$caption(class = "visually-hidden", caption), tags$thead(tags$tr(head)), tags$tbody(body))
  )
}

table_behind <- function(table, t) tags$details(tags$summary(t("table")), table)

#' CSV with stable English column names and plain numbers. Text out of a visitor's browser that a spreadsheet would take
#' for a formula gets an apostrophe. A byte-order mark makes spreadsheets read UTF-8.
write_csv <- function(rows, columns, file) {
  plain <- lapply(columns, function(column) {
    values <- rows[[column$name]]
    if (is.character(values)) ifelse(grepl("^[=+@\t\r-]", values), paste0("'", values), values) else values
  })
  names(plain) <- vapply(columns, function(column) column$name, "")
  out <- file(file, "wb")
  on.exit(close(out))
  writeBin(as.raw(c(0xef, 0xbb, 0xbf)), out)
  utils::write.csv(as.data.frame(plain, optional = TRUE), out, row.names = FALSE, na = "", fileEncoding = "UTF-8")
}
