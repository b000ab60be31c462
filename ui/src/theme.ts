/**
 * Puts the chosen colours in force. Loaded by itself and before anything is
 * painted, so that a dark page never flashes white.
 */

import { chosenTheme, putInForce } from "./shared/theme-choice";

putInForce(chosenTheme());
