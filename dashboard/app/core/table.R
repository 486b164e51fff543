# Tables and CSV of a panel's rows.

#' One column: its name in the rows, the key of its heading, and how a value is written.
#' @param kind what a click on a value filters by
column <- function(name, heading, write = identity, number = FALSE, kind = NULL) {
  list(name = name, heading = heading, write = write, number = number, kind = kind)
}

#' As one string: a tag of its own for each cell costs more than all else a panel does.
#' @param sort list(sort, order): what the rows are ordered by, and `sortable` the columns that a click on their heading orders by
#' @param pick_by what a click on a value of these columns filters by, where that is not the value itself
table_of <- function(rows, columns, t, sort = NULL, sortable = NULL, pick_by = list()) {
  cells <- lapply(columns, function(column) {
    values <- rows[[column$name]]
    text <- as.character(column$write(values))
    text[is.na(text)] <- "\u2013"
    text <- htmltools::htmlEscape(text)
    if (!is.null(column$kind)) {
      by <- if (is.null(pick_by[[column$name]])) values else pick_by[[column$name]]
      given <- !is.na(by)
      asked <- htmltools::htmlEscape(vapply(by[given], function(value) picks(column$kind, value), ""), TRUE)
      text[given] <- paste0('<button type="button" class="pick" data-pick="', asked, '">', text[given], "</button>")
    }
    paste0("<td", if (column$number) ' class="number"', ">", text, "</td>")
  })
  heads <- vapply(columns, function(column) {
    is_on <- identical(sort$sort, column$name)
    text <- htmltools::htmlEscape(t(column$heading))
    if (column$name %in% sortable) text <- paste0(
      '<button type="button" class="pick" data-pick="', htmltools::htmlEscape(picks("sort", column$name), TRUE), '">', text,
      if (is_on) if (sort$order == "asc") " \u25b2" else " \u25bc", "</button>"
    )
    paste0(
      '<th scope="col"', if (column$number) ' class="number"',
      if (is_on) paste0(' aria-sort="', sort$order, 'ending"'), ">", text, "</th>"
    )
  }, "")
  body <- if (nrow(rows) > 0) paste0("<tr>", do.call(paste0, cells), "</tr>", collapse = "")
  HTML(paste0(
    '<div class="scroll" tabindex="0"><table class="table table-sm"><thead><tr>', paste(heads, collapse = ""),
    "</tr></thead><tbody>", body, "</tbody></table></div>"
  ))
}

#' Buttons to the page before and after.
pager <- function(page, pages, n, key, context) {
  t <- context$t
  number <- function(x) format_number(x, context$lang)
  to <- function(target, label) tags$button(
    type = "button", class = "btn btn-sm btn-outline-secondary", `data-pick` = picks("page", as.character(target)),
    disabled = if (target < 1 || target > pages) NA, t(label)
  )
  tags$div(
    class = "pager", to(page - 1, "page.before"),
    tags$span(`aria-live` = "polite", t(key, page = number(page), pages = number(pages), n = number(n))), to(page + 1, "page.after")
  )
}

#' CSV with stable English column names and plain numbers. Text out of a visitor's browser that a spreadsheet would take
#' for a formula gets an apostrophe. A byte-order mark makes spreadsheets read UTF-8.
write_csv <- function(rows, columns, file) {
  plain <- lapply(columns, function(column) {
    values <- rows[[column$name]]
    if (is.character(values)) ifelse(grepl("^[[:space:]\u00a0\ufeff]*[=+@\uff1d\uff0b\uff20\t\r\uff0d-]", values), paste0("'", values), values) else values
  })
  names(plain) <- vapply(columns, function(column) column$name, "")
  out <- file(file, "wb")
  on.exit(close(out))
  writeBin(as.raw(c(0xef, 0xbb, 0xbf)), out)
  utils::write.csv(as.data.frame(plain, optional = TRUE), out, row.names = FALSE, na = "", fileEncoding = "UTF-8")
}
